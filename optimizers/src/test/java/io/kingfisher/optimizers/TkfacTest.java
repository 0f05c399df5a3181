package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.kingfisher.layers.Linear;
import io.kingfisher.layers.MeanSquaredError;
import io.kingfisher.layers.Recording;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.kronecker.Tkfac;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TkfacTest {
    private static final LabelSource DATA = new LabelSource.Empirical();

    private static Tkfac.Config config(double damping, Tkfac.Damping how, int statistics, int inverses, double clip) {
        return new Tkfac.Config(damping, how, 0.9, DATA, statistics, inverses, clip, 0.9);
    }

    @ParameterizedTest
    @CsvSource({
        "MLP, PLAIN, 1",
        "MLP, RELATIVE, 2",
        "CONV, PLAIN, 2",
        "CONV, RELATIVE, 1",
        "TRANSFORMER, PLAIN, 1",
        "DEPTHWISE, RELATIVE, 2",
        "SHARED, PLAIN, 2",
        "TIED, RELATIVE, 1"
    })
    void followsTheReference(TestNet.Kind kind, Tkfac.Damping how, int seed) {
        Tkfac.Config config = config(0.05, how, 3, 6, 1e-3);
        try (TestNet net = TestNet.of(kind, seed)) {
            Tkfac tkfac = new Tkfac(net.device(), net.group(0.02, 1e-3), config, new Clipping.None());
            new ReferenceTkfac(config, 0.02, 1e-3)
                    .follow(net, tkfac, kind == TestNet.Kind.MLP || kind == TestNet.Kind.CONV ? 100 : 24);
        }
    }

    /** Both factors have the trace of the Fisher block whose samples are places. */
    @ParameterizedTest
    @EnumSource
    void tracesAreTheBlocksOwn(TestNet.Kind kind) {
        try (TestNet net = TestNet.of(kind, 3)) {
            Tkfac.Config config = config(0.05, Tkfac.Damping.PLAIN, 1, 1, 1);
            net.compile(new Tkfac(net.device(), net.group(0.02, 0), config, new Clipping.None()), true);
            net.step();
            Map<String, double[]> state = net.everything();
            net.uses().forEach((weight, uses) -> {
                ReferenceLayer layer = ReferenceLayer.of(uses);
                for (int group = 0; group < layer.groups() && weight.shape().rank() > 1; group++) {
                    double trace = 0;
                    for (double[][] gradient : ReferenceGradients.of(uses, group, false, net.samples())) {
                        for (double[] row : gradient) {
                            for (double x : row) {
                                trace += x * x / net.samples();
                            }
                        }
                    }
                    String path = "optimizer." + weight.path();
                    double[] phi = state.get(path + ".Phi"), psi = state.get(path + ".Psi");
                    assertEquals(trace, trace(phi, layer.i(), group, layer.table()), 1e-5 * trace, path);
                    assertEquals(trace, trace(psi, layer.o(), group, false), 1e-5 * trace, path);
                }
            });
        }
    }

    private static double trace(double[] values, int n, int group, boolean diagonal) {
        double sum = 0;
        for (int k = 0; k < n; k++) {
            sum += values[diagonal ? k : (group * n + k) * n + k];
        }
        return sum;
    }

    /** Where inputs and gradients are independent, delta Phi (x) Psi is A (x) G: with little damping both steps are one. */
    @Test
    void isKfacWhereInputsDoNotTellGradients() {
        double[] kfac = direction((device, groups) -> new Kfac(
                device,
                groups,
                new Kfac.Config(1e-10, Kfac.Damping.FACTORED, 0.9, DATA, 1, 1, Double.POSITIVE_INFINITY, 0),
                new Clipping.None()));
        double[] tkfac = direction((device, groups) -> new Tkfac(
                device,
                groups,
                new Tkfac.Config(1e-10, Tkfac.Damping.PLAIN, 0.9, DATA, 1, 1, Double.POSITIVE_INFINITY, 0),
                new Clipping.None()));
        double size = 0;
        for (double x : kfac) {
            size = Math.max(size, Math.abs(x));
        }
        assertArrayEquals(kfac, tkfac, 1e-3 * size);
    }

    /** The first step from zero weights where each of 5 inputs meets each of 4 gradients. */
    private static double[] direction(BiFunction<Device, List<ParameterGroup>, Optimizer> maker) {
        try (Device device = Device.open("cpu", new DeviceOptions(1))) {
            Linear layer = new Linear(3, 2, false);
            layer.initialize(device, 1);
            layer.parameters().forEach(p -> p.tensor().fill(0));
            Random random = new Random(4);
            double[] a = random.doubles(15, -1, 1).toArray(),
                    g = random.doubles(8, -1, 1).toArray();
            double[] x = new double[60], y = new double[40];
            for (int n = 0; n < 20; n++) {
                System.arraycopy(a, n / 4 * 3, x, n * 3, 3);
                System.arraycopy(g, n % 4 * 2, y, n * 2, 2);
            }
            Optimizer optimizer = maker.apply(device, List.of(new ParameterGroup(layer.parameters(), 1, 0)));
            Graph graph = new Graph();
            Recording r = Recording.train(graph);
            Value s = layer.apply(r, graph.constant(DType.F32, Shape.of(20, 3), x));
            Value target = graph.constant(DType.F32, Shape.of(20, 2), y);
            optimizer.record(r.gradients(new MeanSquaredError().apply(r, s, target)), Optimizer.Cadence.SOLVE);
            try (Program program = device.compile(graph)) {
                optimizer.advance();
                program.replay();
                optimizer.finish();
            }
            double[] w = layer.weight().tensor().doubles();
            optimizer.close();
            layer.close();
            return w;
        }
    }

    @Test
    void refusesBadSettings() {
        assertThrows(KingfisherException.class, () -> config(0, Tkfac.Damping.PLAIN, 1, 1, 1));
        assertThrows(KingfisherException.class, () -> config(1, Tkfac.Damping.PLAIN, 1, 0, 1));
    }
}
