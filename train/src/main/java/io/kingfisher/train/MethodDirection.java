package io.kingfisher.train;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Variable;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.train.config.Option;
import io.kingfisher.train.config.Options;
import io.kingfisher.train.data.Batch;
import io.kingfisher.train.methods.Method;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The direction that an optimizer would take with a batch from wherever a model is: the step is made with a state that begins
 * anew, measured, and taken back.
 */
final class MethodDirection implements AutoCloseable {
    /** So large that a parameter's own digits are lost beside its change, and not the reverse. */
    private static final double RATE = 1e6;

    /** What would hide a direction: all of these are off, where a method has them. */
    private static final Map<String, Object> OFF =
            Map.of("momentum", 0.0, "weight_decay", 0.0, "kl_clip", Double.POSITIVE_INFINITY, "TCov", 1L, "TInv", 2L);

    private final Experiment experiment;
    private final Optimizer optimizer;
    private final int steps;
    private final Map<Optimizer.Cadence, Program> programs = new EnumMap<>(Optimizer.Cadence.class);
    private final Map<Tensor, double[]> state = new LinkedHashMap<>();

    /**
     * @param random the state of the random numbers, shared by all methods
     * @param settings of the method, where they differ from its defaults
     */
    MethodDirection(Experiment experiment, Tensor random, Method method, Map<String, Object> settings) {
        this.experiment = experiment;
        List<Parameter> trained = parameters(experiment);
        optimizer = method.factory()
                .make(
                        experiment.device(),
                        List.of(new ParameterGroup(trained, RATE, 0)),
                        options(method, settings),
                        new Clipping.None());
        // Where decompositions come at intervals, the second step has what is measured in their bases.
        steps = method.schema().options().knows("TInv") ? 2 : 1;
        for (int i = 0; i < steps; i++) {
            programs.computeIfAbsent(optimizer.advance(), cadence -> compile(random, cadence));
        }
        optimizer.state().tensors().values().forEach(tensor -> state.put(tensor, tensor.doubles()));
    }

    private Program compile(Tensor random, Optimizer.Cadence cadence) {
        Graph graph = new Graph();
        Recording r = Recording.train(graph, random);
        Gradients gradients = r.gradients(
                experiment.task().record(r, experiment.model(), true, false).loss());
        optimizer.record(gradients, cadence);
        return experiment.device().compile(graph);
    }

    static List<Parameter> parameters(Experiment experiment) {
        return experiment.model().parameters().stream()
                .filter(Parameter::trainable)
                .toList();
    }

    /** A method's defaults, with what is off and what is set. */
    private static Options options(Method method, Map<String, Object> settings) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (Option option : method.schema().options().options()) {
            option.fallback().ifPresent(value -> values.put(option.name(), value));
            if (OFF.containsKey(option.name())) {
                values.put(option.name(), OFF.get(option.name()));
            }
            if (settings.containsKey(option.name())) {
                values.put(option.name(), settings.get(option.name()));
            }
        }
        return new Options(values);
    }

    /** The direction for a batch, by parameter; the model is left as it was. */
    Map<Parameter, double[]> of(Batch batch) {
        Map<Variable, double[]> before = new LinkedHashMap<>();
        experiment.model().variables().forEach(v -> before.put(v, v.tensor().doubles()));
        state.forEach(Tensor::write);
        optimizer.resume(0);
        for (int i = 0; i < steps; i++) {
            before.forEach((variable, values) -> variable.tensor().write(values));
            Program program = programs.get(optimizer.advance());
            program.input("x").write(batch.inputs());
            program.input("y").write(batch.targets());
            program.replay();
            optimizer.finish();
        }
        Map<Parameter, double[]> result = new LinkedHashMap<>();
        for (Parameter parameter : parameters(experiment)) {
            double[] from = before.get(parameter), to = parameter.tensor().doubles();
            for (int i = 0; i < to.length; i++) {
                to[i] = (from[i] - to[i]) / RATE;
            }
            result.put(parameter, to);
        }
        before.forEach((variable, values) -> variable.tensor().write(values));
        return result;
    }

    @Override
    public void close() {
        programs.values().forEach(Program::close);
        optimizer.close();
    }
}
