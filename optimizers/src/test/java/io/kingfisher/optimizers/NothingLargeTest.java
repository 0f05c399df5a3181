package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Conv2d;
import io.kingfisher.layers.CrossEntropy;
import io.kingfisher.layers.Flatten;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Sequential;
import io.kingfisher.optimizers.AdaFisherConfig.Mode;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.Source;
import io.kingfisher.runtime.graph.Value;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Neither a Fisher matrix of a weight's size nor the patches of a convolution ever exist in memory. */
class NothingLargeTest {
    private static final int BATCH = 4;

    /** A weight of 480 KB beside activations of a few KB. */
    private static Layer wide() {
        return new Sequential(new Linear(300, 400), new Linear(400, 3));
    }

    /** Patches of 8 x 5 x 5 at 4 x 24 x 24 places: 1.8 MB, where the image has 74 KB. */
    private static Layer image() {
        return new Sequential(new Conv2d(8, 2, 5, 1, 2), new Flatten(), new Linear(2 * 24 * 24, 3, false));
    }

    private record Step(Graph graph, long bytes, List<String> lines) {}

    private static Step compile(
            Layer model,
            BiFunction<Device, List<ParameterGroup>, Optimizer> maker,
            Optimizer.Cadence cadence,
            long... x) {
        try (Device device = Device.open("cpu", new DeviceOptions(1))) {
            model.initialize(device, 1);
            Graph graph = new Graph();
            Recording r = Recording.train(graph);
            Value y = model.apply(r, graph.input("x", DType.F32, x));
            Optimizer optimizer = maker.apply(device, List.of(new ParameterGroup(model.parameters(), 0.1, 0.1)));
            optimizer.record(r.gradients(new CrossEntropy().apply(r, y, graph.input("y", DType.I32, BATCH))), cadence);
            Program program = device.compile(graph);
            return new Step(
                    graph, program.arenaBytes(), program.describe().lines().toList());
        }
    }

    private static Optimizer sgd(Device device, List<ParameterGroup> groups) {
        return new Sgd(device, groups, new Sgd.Config(0.9, 0, false), new Clipping.None());
    }

    private static Optimizer adaFisher(Device device, List<ParameterGroup> groups, Mode mode) {
        return new AdaFisher(device, groups, AdaFisherConfig.of(mode).withDecoupledDecay(), new Clipping.None());
    }

    /** A step's own values of a weight's size: the parameter, its gradient, its momentum, and what both become. */
    @ParameterizedTest
    @EnumSource
    void stepsRecordNoFisherMatrix(Mode mode) {
        Layer model = wide();
        Graph graph = compile(model, (d, g) -> adaFisher(d, g, mode), Optimizer.Cadence.STEP, BATCH, 300)
                .graph();
        Set<Value> assigned = new HashSet<>(graph.assignments().values());
        Parameter weight = model.parameters().get(0);
        int updates = 0;
        for (Node node : graph.nodes()) {
            if (!node.scope().equals("optimizer." + weight.path())) {
                continue;
            }
            for (Value value : node.outputs()) {
                if (value.shape().elements() < weight.shape().elements()
                        || node.op() instanceof Source.Bound
                        || node.op() instanceof Movement.Reshape) {
                    continue;
                }
                assertTrue(assigned.contains(value), node + " is neither the parameter nor its momentum");
                updates++;
            }
        }
        assertEquals(2, updates);
    }

    /** A refresh sees values of a weight's size in mode relative alone, and only to sum them up at once. */
    @ParameterizedTest
    @EnumSource
    void refreshesSumFisherMatricesAtOnce(Mode mode) {
        Layer model = wide();
        Graph graph = compile(model, (d, g) -> adaFisher(d, g, mode), Optimizer.Cadence.REFRESH, BATCH, 300)
                .graph();
        Parameter weight = model.parameters().get(0);
        int products = 0;
        for (Node node : graph.nodes()) {
            if (node.scope().equals("curvature." + weight.path())
                    && node.outputs().get(0).shape().elements()
                            >= weight.shape().elements()) {
                assertEquals(Mode.RELATIVE, mode, node.toString());
                products++;
                for (Node user : graph.nodes()) {
                    if (user.inputs().contains(node.output(0))) {
                        assertTrue(user.op() instanceof Reduce, user.toString());
                    }
                }
            }
        }
        assertEquals(mode == Mode.RELATIVE, products > 0);
    }

    /** The memory of a compiled step says whether what a graph records is really never stored. */
    @ParameterizedTest
    @EnumSource
    void noMemoryForAFisherMatrix(Mode mode) {
        long matrix = 4 * 300 * 400;
        long plain = compile(wide(), NothingLargeTest::sgd, Optimizer.Cadence.STEP, BATCH, 300)
                .bytes();
        for (Optimizer.Cadence cadence : Optimizer.Cadence.values()) {
            long bytes = compile(wide(), (d, g) -> adaFisher(d, g, mode), cadence, BATCH, 300)
                    .bytes();
            assertTrue(
                    bytes < plain + matrix / 4,
                    mode + " " + cadence + " takes " + bytes + " bytes where SGD takes " + plain);
        }
    }

    @ParameterizedTest
    @EnumSource
    void noPatches(Mode mode) {
        long patches = 4L * BATCH * 24 * 24 * 8 * 5 * 5;
        Step step = compile(image(), (d, g) -> adaFisher(d, g, mode), Optimizer.Cadence.STEP, BATCH, 8, 24, 24);
        Step refresh = compile(image(), (d, g) -> adaFisher(d, g, mode), Optimizer.Cadence.REFRESH, BATCH, 8, 24, 24);
        assertTrue(refresh.bytes() < step.bytes() + patches / 4, refresh.bytes() + " and " + step.bytes());
        boolean seen = false;
        for (Node node : refresh.graph().nodes()) {
            if (node.scope().equals("curvature.0.weight")) {
                seen = true;
                for (Value value : node.outputs()) {
                    assertFalse(value.shape().elements() > BATCH * 8 * 24 * 24, node.toString());
                }
            }
        }
        assertTrue(seen);
    }

    /** All parameters are updated in one launch, whatever the optimizer. */
    @ParameterizedTest
    @EnumSource
    void oneUpdateForAllParameters(Mode mode) {
        List<Supplier<Layer>> models = List.of(
                NothingLargeTest::image,
                () -> new Sequential(
                        new Conv2d(8, 4, 3, 3, Convolution.of(1, 1, 1, 2), true),
                        new Flatten(),
                        new Linear(4 * 24 * 24, 3, false)));
        List<BiFunction<Device, List<ParameterGroup>, Optimizer>> makers =
                List.of(NothingLargeTest::sgd, (d, g) -> adaFisher(d, g, mode));
        for (Supplier<Layer> model : models) {
            int parameters = model.get().parameters().size();
            for (BiFunction<Device, List<ParameterGroup>, Optimizer> maker : makers) {
                List<String> updates =
                        compile(model.get(), maker, Optimizer.Cadence.STEP, BATCH, 8, 24, 24).lines().stream()
                                .filter(line -> line.contains("Together"))
                                .toList();
                assertEquals(1, updates.size(), updates.toString());
                assertEquals(parameters, updates.get(0).split("Map\\[", -1).length - 1, updates.get(0));
            }
        }
    }
}
