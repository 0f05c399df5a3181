package io.kingfisher.optimizers.curvature;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Value;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The extreme eigenvalues of Kronecker products: products of those of their factors, which one program decomposes. Not cheap, so
 * it is for the end of an epoch or of a run.
 */
public final class FactorHealth {
    private FactorHealth() {}

    /**
     * Factors whose names differ only behind the last dot belong to one layer, whose curvature is their product.
     *
     * @param damping added to the product
     */
    public static List<Health> of(Device device, Collection<RunningFactor> factors, double damping) {
        Map<String, Health> layers = new LinkedHashMap<>();
        Graph graph = new Graph();
        for (RunningFactor factor : factors) {
            graph.output(factor.name(), values(factor, graph));
        }
        try (Program program = device.compile(graph)) {
            program.replay();
            for (RunningFactor factor : factors) {
                double[] found = program.output(factor.name()).doubles();
                String layer =
                        factor.name().substring(0, Math.max(0, factor.name().lastIndexOf('.')));
                layers.merge(layer, Health.of(layer, found, damping), FactorHealth::product);
            }
        }
        return List.copyOf(layers.values());
    }

    /** Eigenvalues of matrices [groups x n x n]; diagonals are theirs. */
    private static Value values(RunningFactor factor, Graph graph) {
        Value average = factor.read(graph);
        return factor.shape().rank() == 3
                ? graph.add(new LinearAlgebra.Eigh(), average).output(0)
                : average;
    }

    private static Health product(Health a, Health b) {
        return new Health(
                a.layer(), a.smallest() * b.smallest(), a.largest() * b.largest(), a.mean() * b.mean(), a.damping());
    }
}
