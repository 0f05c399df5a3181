package io.kingfisher.train;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Variable;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.curvature.SampleJacobian;
import io.kingfisher.optimizers.sample.Gamma;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.train.data.Batch;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Measures directions on a batch: gamma, the loss there, and how unequal the gradients of its samples are. */
final class GammaProgram implements AutoCloseable {
    private final Experiment experiment;
    private final Program program;

    GammaProgram(Experiment experiment, Tensor random) {
        this.experiment = experiment;
        Graph graph = new Graph();
        Recording r = Recording.train(graph, random);
        Gradients gradients = r.gradients(
                experiment.task().record(r, experiment.model(), true, false).loss());
        Map<Parameter, Value> inputs = new LinkedHashMap<>();
        for (Parameter p : gradients.parameters()) {
            inputs.put(p, graph.input("d." + p.path(), new Type(DType.F32, p.shape())));
        }
        graph.output("gamma", Gamma.of(gradients, inputs::get));
        graph.output("loss", gradients.loss());
        graph.output(
                "squares",
                SampleJacobian.of(gradients, new LabelSource.Empirical().draws(gradients))
                        .squaredNorms());
        program = experiment.device().compile(graph);
    }

    /** gamma of a direction; the model is left as it was. */
    double gamma(Batch batch, Map<Parameter, double[]> direction) {
        double largest = direction.values().stream()
                .flatMapToDouble(Arrays::stream)
                .map(Math::abs)
                .reduce(0, Math::max);
        // It does not depend on the length, whose square F32 may not hold.
        double scale = largest > 0 ? 1 / largest : 1;
        direction.forEach((p, values) -> program.input("d." + p.path())
                .write(Arrays.stream(values).map(v -> v * scale).toArray()));
        replay(batch);
        return program.output("gamma").item();
    }

    private void replay(Batch batch) {
        Map<Variable, double[]> before = new LinkedHashMap<>();
        experiment.model().variables().forEach(v -> before.put(v, v.tensor().doubles()));
        program.input("x").write(batch.inputs());
        program.input("y").write(batch.targets());
        program.replay();
        before.forEach((variable, values) -> variable.tensor().write(values));
    }

    /** The mean loss at the last batch. */
    double loss() {
        return program.output("loss").item();
    }

    /** The largest length of a sample's gradient over the least, at the last batch. */
    double imbalance() {
        double[] squares = program.output("squares").doubles();
        return Math.sqrt(Arrays.stream(squares).max().orElse(0)
                / Arrays.stream(squares).min().orElse(0));
    }

    @Override
    public void close() {
        program.close();
    }
}
