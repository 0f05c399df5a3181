package io.kingfisher.train.selftest;

import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.train.config.OptimizerConfig;
import io.kingfisher.train.methods.Methods;
import io.kingfisher.train.workload.Method;
import io.kingfisher.train.workload.TrainingStep.Maker;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Every optimizer that a configuration can name, as a configuration makes it, and AdaFisher's other modes. */
final class Optimizers {
    /** What configurations call the steps between refreshes: few, so that three steps are one of each kind. */
    private static final Map<String, Integer> INTERVALS =
            Map.of("TCov", ReplayChecks.REFRESH, "TInv", 2 * ReplayChecks.REFRESH);

    private Optimizers() {}

    static Map<String, Maker> all() {
        var makers = new LinkedHashMap<String, Maker>();
        for (var method : Methods.all()) {
            makers.put(method.name(), maker(method));
        }
        for (Method method : List.of(Method.ADAFISHER_PAPER, Method.ADAFISHER_RELATIVE)) {
            makers.put(method.label(), (device, model) -> method.make(device, model, ReplayChecks.REFRESH));
        }
        return makers;
    }

    private static Maker maker(io.kingfisher.train.methods.Method method) {
        var yaml = new StringBuilder("{dataset: glyphs, network: lenet, optimizer: ")
                .append(method.name())
                .append(", optimizer_kwargs: {");
        INTERVALS.forEach((name, steps) -> {
            if (method.schema().options().knows(name)) {
                yaml.append(name).append(": ").append(steps).append(", ");
            }
        });
        OptimizerConfig config = Methods.reader()
                .parse(yaml.append("}}").toString(), "selftest", List.of())
                .optimizer();
        return (device, model) -> method.factory()
                .make(
                        device,
                        List.of(new ParameterGroup(model.parameters(), config.learningRate(), 1e-2)),
                        config.settings(),
                        new Clipping.None());
    }
}
