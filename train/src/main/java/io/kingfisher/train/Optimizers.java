package io.kingfisher.train;

import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.AdaFisher;
import io.kingfisher.optimizers.AdaFisherConfig;
import io.kingfisher.optimizers.Adam;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Kfac;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.Sgd;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.runtime.Device;
import io.kingfisher.train.config.OptimizerConfig;
import io.kingfisher.train.config.Options;
import io.kingfisher.train.config.RunConfig;
import java.util.List;
import java.util.Locale;

/** Makes the optimizer that a configuration names. */
final class Optimizers {
    private Optimizers() {}

    static Optimizer create(Device device, Layer model, RunConfig config) {
        OptimizerConfig given = config.optimizer();
        Options o = given.settings();
        List<Parameter> trained =
                model.parameters().stream().filter(Parameter::trainable).toList();
        var groups = List.of(new ParameterGroup(trained, given.learningRate(), o.real("weight_decay")));
        Clipping clipping = clipping(given);
        return switch (given.name()) {
            case "SGD" ->
                new Sgd(
                        device,
                        groups,
                        new Sgd.Config(o.real("momentum"), o.real("dampening"), o.flag("nesterov")),
                        clipping);
            case "Adam", "AdamW" ->
                new Adam(
                        device,
                        groups,
                        new Adam.Config(
                                o.real("beta1"),
                                o.real("beta2"),
                                o.real("eps"),
                                given.name().equals("AdamW")),
                        clipping);
            case "AdaFisher", "AdaFisherW" -> new AdaFisher(device, groups, adaFisher(given), clipping);
            case "KFAC" -> new Kfac(device, groups, kfac(o), clipping);
            default ->
                throw config.source()
                        .unknownName(
                                "optimizer",
                                given.name(),
                                List.of("SGD", "Adam", "AdamW", "AdaFisher", "AdaFisherW", "KFAC"));
        };
    }

    private static AdaFisherConfig adaFisher(OptimizerConfig given) {
        Options o = given.settings();
        var mode = AdaFisherConfig.Mode.valueOf(o.text("mode").toUpperCase(Locale.ROOT));
        AdaFisherConfig usual = AdaFisherConfig.of(mode);
        return new AdaFisherConfig(
                mode,
                o.real("beta"),
                o.real("Lambda"),
                o.real("gamma"),
                o.whole("TCov", usual.refreshInterval()),
                given.name().equals("AdaFisherW"),
                AdaFisherConfig.Unmatched.valueOf(o.text("unmatched").toUpperCase(Locale.ROOT)),
                o.real("tau", usual.tau()),
                o.real("power", usual.power()),
                o.real("cap", usual.cap()),
                o.real("decay", usual.decay()));
    }

    private static Kfac.Config kfac(Options o) {
        LabelSource labels = switch (o.text("labels")) {
            case "sampled" -> new LabelSource.MonteCarlo(1);
            case "empirical" -> new LabelSource.Empirical();
            case "exact" -> new LabelSource.Exact();
            default -> new LabelSource.CurvatureProp(1);
        };
        return new Kfac.Config(
                o.real("damping"),
                Kfac.Damping.valueOf(o.text("damping_rule").toUpperCase(Locale.ROOT)),
                o.real("factor_decay"),
                labels,
                o.integer("TCov"),
                o.integer("TInv"),
                o.real("kl_clip"),
                o.real("momentum"));
    }

    private static Clipping clipping(OptimizerConfig given) {
        if (given.clipNorm().isPresent()) {
            return new Clipping.GlobalNorm(given.clipNorm().getAsDouble());
        }
        return given.clipValue().isPresent()
                ? new Clipping.ByValue(given.clipValue().getAsDouble())
                : new Clipping.None();
    }
}
