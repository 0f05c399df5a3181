package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kingfisher.layers.Linear;
import io.kingfisher.layers.MeanSquaredError;
import io.kingfisher.layers.Recording;
import io.kingfisher.optimizers.curvature.Averaging;
import io.kingfisher.optimizers.curvature.FactorHealth;
import io.kingfisher.optimizers.curvature.Health;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.curvature.RunningFactor;
import io.kingfisher.optimizers.kronecker.Ekfac;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Spectra of Kronecker products whose eigenvalues are known. */
class FactorHealthTest {
    @Test
    void productsOfTheFactorsSpectra() {
        try (Device device = Device.open("cpu");
                OptimizerState state = new OptimizerState(device)) {
            // Eigenvalues 1 and 3; 5; the diagonal 1, 4, 7 alone.
            RunningFactor a = factor(state, "net.fc1.A", Shape.of(1, 2, 2), 2, 1, 1, 2);
            RunningFactor g = factor(state, "net.fc1.G", Shape.of(1, 1, 1), 5);
            RunningFactor table = factor(state, "net.table.A", Shape.of(3), 7, 1, 4);
            List<Health> found = FactorHealth.of(device, List.of(a, table, g), 0.5);
            assertEquals(2, found.size());
            check(found.get(0), "net.fc1", 5, 15, 10);
            check(found.get(1), "net.table", 1, 7, 4);
            assertEquals(15.5 / 5.5, found.get(0).condition(), 1e-5);
            assertEquals(0.05, found.get(0).relativeDamping(), 1e-6);
        }
    }

    /** EKFAC's eigenvalues are its own; a layer without statistics yet has only zeros. */
    @Test
    void eigenvaluesOfEkfac() {
        try (Device device = Device.open("cpu");
                Linear model = new Linear(2, 1, false)) {
            model.initialize(device, 1);
            var config =
                    new Ekfac.Config(0.25, Ekfac.Estimate.SAMPLES, 0.5, 0.5, new LabelSource.Empirical(), 1, 2, 1, 0);
            var groups = List.of(new ParameterGroup(model.parameters(), 0.1, 0));
            try (var optimizer = new Ekfac(device, groups, config, new Clipping.None())) {
                Graph graph = new Graph();
                Recording r = Recording.train(graph);
                Value y = model.apply(r, graph.input("x", DType.F32, 3, 2));
                optimizer.record(
                        r.gradients(new MeanSquaredError().apply(r, y, graph.input("y", DType.F32, 3, 1))),
                        Optimizer.Cadence.STEP);
                assertEquals(1, optimizer.health().getFirst().condition());
                optimizer.state().tensors().forEach((name, tensor) -> {
                    if (name.endsWith(".S")) {
                        tensor.write(2f, 0.5f);
                    }
                });
                Health health = optimizer.health().getFirst();
                assertEquals(3, health.condition(), 1e-6);
                assertEquals(0.2, health.relativeDamping(), 1e-6);
            }
        }
    }

    private static RunningFactor factor(OptimizerState state, String name, Shape shape, float... values) {
        RunningFactor factor = new RunningFactor(state, name, shape, Averaging.mean());
        state.tensors().get(name).write(values);
        return factor;
    }

    private static void check(Health health, String layer, double smallest, double largest, double mean) {
        assertEquals(layer, health.layer());
        assertEquals(smallest, health.smallest(), 1e-5);
        assertEquals(largest, health.largest(), 1e-5);
        assertEquals(mean, health.mean(), 1e-5);
    }
}
