package io.kingfisher.optimizers.matrixfree;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.OptimizerState;
import io.kingfisher.optimizers.curvature.Averaging;
import io.kingfisher.optimizers.curvature.Decompositions;
import io.kingfisher.optimizers.curvature.FactorInverses;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.curvature.LayerMatrix;
import io.kingfisher.optimizers.curvature.LayerMatrix.Kind;
import io.kingfisher.optimizers.curvature.Matrices;
import io.kingfisher.optimizers.curvature.Moments;
import io.kingfisher.optimizers.curvature.NormBlocks;
import io.kingfisher.optimizers.curvature.RunningFactor;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** K-FAC's factors of all layers, and their inverses with a damping gamma that the host may change. */
final class KfacProposal implements AutoCloseable {
    /** A layer's factors and their inverses, or a norm layer's blocks. */
    private record Layer(
            LayerMatrix matrix, RunningFactor a, Optional<RunningFactor> g, Optional<FactorInverses> inverses) {}

    private final OptimizerState state;
    private final Tensor gamma;
    private final Map<Parameter, Layer> layers = new LinkedHashMap<>();
    private final Decompositions decompositions;

    /**
     * @param gamma an F64 scalar
     */
    KfacProposal(Device device, OptimizerState state, Gradients gradients, double decay, Tensor gamma) {
        this.state = state;
        this.gamma = gamma;
        List<Decompositions.Job> jobs = new ArrayList<>();
        for (LayerMatrix matrix : LayerMatrix.of(gradients)) {
            Layer layer = layer(matrix, Averaging.kfac(decay));
            layers.put(matrix.weight(), layer);
            jobs.addAll(jobs(layer));
        }
        decompositions = new Decompositions(device, jobs);
    }

    private Layer layer(LayerMatrix matrix, Averaging rule) {
        String path = matrix.path();
        if (matrix.kind() == Kind.NORM) {
            RunningFactor block = new RunningFactor(state, path + ".A", NormBlocks.shape(matrix), rule);
            return new Layer(matrix, block, Optional.empty(), Optional.empty());
        }
        RunningFactor a = new RunningFactor(state, path + ".A", Moments.inputShape(matrix), rule);
        RunningFactor g = new RunningFactor(state, path + ".G", Moments.outputShape(matrix), rule);
        return new Layer(matrix, a, Optional.of(g), Optional.of(new FactorInverses(state, matrix, g.name(), a.name())));
    }

    private List<Decompositions.Job> jobs(Layer layer) {
        RunningFactor a = layer.a();
        if (layer.g().isEmpty()) {
            return List.of(NormBlocks.of(state, a).job(graph -> gamma(graph).square()));
        }
        RunningFactor g = layer.g().get();
        Function<Graph, Value> pi = graph -> {
            Value mean = layer.matrix().kind() == Kind.EMBEDDING
                    ? a.read(graph).mean().reshape(1, 1, 1)
                    : Matrices.trace(a.read(graph)).mul(1.0 / layer.matrix().inputs());
            Value other = Matrices.trace(g.read(graph)).mul(1.0 / layer.matrix().outputs());
            return FactorInverses.pi(mean, other);
        };
        return layer.inverses()
                .orElseThrow()
                .jobs(
                        g::read,
                        graph -> gamma(graph).div(pi.apply(graph)),
                        a::read,
                        graph -> gamma(graph).mul(pi.apply(graph)));
    }

    private Value gamma(Graph graph) {
        return graph.read(gamma).cast(DType.F32);
    }

    /** Records the statistics of a step. */
    void observe(Gradients gradients, List<LabelSource.Draw> draws) {
        Graph graph = gradients.loss().graph();
        Tensor refreshes = state.tensor("refreshes", DType.F32, Shape.SCALAR, 0);
        Value refresh = graph.read(refreshes).add(1);
        graph.assign(refreshes, refresh);
        for (LayerMatrix matrix : LayerMatrix.of(gradients)) {
            Layer layer = layers.get(matrix.weight());
            try (Graph.Scope _ = graph.scope("curvature." + matrix.path())) {
                if (layer.g().isEmpty()) {
                    layer.a().take(Moments.norm(matrix, gradients, draws), refresh);
                } else {
                    Moments.Pair fresh = Moments.of(matrix, gradients, draws);
                    layer.a().take(fresh.inputs(), refresh);
                    layer.g().get().take(fresh.outputs(), refresh);
                }
            }
        }
    }

    /** Inverts all factors with the gamma at present. */
    void invert() {
        decompositions.run();
    }

    /** G~^-1 D A~^-1 of each layer's gradients, by parameter. */
    Map<Parameter, Value> directions(Function<Parameter, Value> gradients) {
        Map<Parameter, Value> result = new LinkedHashMap<>();
        for (Layer layer : layers.values()) {
            Value d = layer.matrix().matrix(gradients);
            Value direction = layer.inverses()
                    .map(inverses -> inverses.direction(d))
                    .orElseGet(() -> NormBlocks.of(state, layer.a()).direction(d));
            result.putAll(layer.matrix().parts(direction));
        }
        return result;
    }

    /** Whether a parameter is part of a layer with factors. */
    boolean covers(Parameter parameter) {
        return layers.values().stream()
                .anyMatch(layer -> layer.matrix().parameters().contains(parameter));
    }

    /** What went wrong since the last call, a line each. */
    List<String> reports() {
        List<String> all = new ArrayList<>(decompositions.reports());
        layers.values().forEach(layer -> {
            layer.a().report().ifPresent(all::add);
            layer.g().flatMap(RunningFactor::report).ifPresent(all::add);
        });
        return all;
    }

    @Override
    public void close() {
        decompositions.close();
    }
}
