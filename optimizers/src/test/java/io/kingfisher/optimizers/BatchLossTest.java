package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Variable;
import io.kingfisher.optimizers.matrixfree.BatchLoss;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The loss of a batch recorded once more, and products with its second derivatives. */
class BatchLossTest {
    /** Keeps a batch and changes no parameter. */
    private static final class Keeping extends Optimizer {
        final BatchLoss batch;

        Keeping(Device device, List<ParameterGroup> groups) {
            super(device, groups, new Clipping.None());
            batch = new BatchLoss(device, groups);
        }

        @Override
        protected void prepare(Gradients gradients, Cadence cadence) {
            batch.hold(gradients);
        }

        @Override
        protected void update(Update update, ParameterGroup group) {
            update.setParameter(update.parameter().mul(1));
        }
    }

    private static double[] run(Device device, Function<Graph, Value> recording) {
        Graph graph = new Graph();
        graph.output("y", recording.apply(graph));
        try (Program program = device.compile(graph)) {
            program.replay();
            return program.output("y").doubles();
        }
    }

    private static Tensor vector(Device device, double... values) {
        Tensor tensor = device.allocate(DType.F32, Shape.of(values.length));
        tensor.write(values);
        return tensor;
    }

    private static double largest(double[] v) {
        return Arrays.stream(v).map(Math::abs).max().orElse(0);
    }

    /** Loss, gradient, differences of gradients, and the Gauss-Newton matrix from the loss's own second derivatives. */
    @ParameterizedTest
    @EnumSource
    void agreesWithTheTrainingStep(TestNet.Kind kind) {
        for (int parts : new int[] {1, 2}) {
            if (kind == TestNet.Kind.CONV && parts == 2) {
                // Batch norm sees each part by itself; that is no error.
                continue;
            }
            double decay = 0.3;
            try (TestNet net = TestNet.of(kind, 4, TestNet.BATCH, parts)) {
                var keeping = new Keeping(net.device(), net.group(0, decay));
                net.compile(keeping, true);
                net.step();
                List<Parameter> parameters = net.model().parameters();
                double[] p = Flat.of(parameters);
                double[] buffers = buffers(net.model());
                Device device = net.device();
                double[] loss = run(device, graph -> keeping.batch.here(graph).loss());
                assertEquals(net.loss() + 0.5 * decay * ReferenceMlp.dot(p, p), loss[0], 1e-5 * (1 + loss[0]));
                double[] g = run(device, graph -> keeping.batch.here(graph).gradient());
                assertEquals(p.length, keeping.batch.size());
                double[] want = ReferenceMlp.plus(Flat.of(parameters, net::gradient), decay, p);
                assertArrayEquals(want, g, 1e-5 * largest(want));

                Tensor v = vector(device, new Random(1).doubles(p.length, -1, 1).toArray());
                double[] direct = run(device, graph -> keeping.batch.here(graph).gaussNewton(graph.read(v)));
                double curvature = ReferenceMlp.dot(direct, v.doubles());
                assertTrue(curvature > decay * ReferenceMlp.dot(v.doubles(), v.doubles()), "positive");
                // Symmetry against another vector.
                Tensor u = vector(device, new Random(2).doubles(p.length, -1, 1).toArray());
                double[] other = run(device, graph -> keeping.batch.here(graph).gaussNewton(graph.read(u)));
                assertEquals(
                        ReferenceMlp.dot(direct, u.doubles()),
                        ReferenceMlp.dot(other, v.doubles()),
                        1e-4 * (1 + Math.abs(curvature)));
                double[] hv = run(device, graph -> keeping.batch.here(graph).hessian(graph.read(v)));
                double[] hu = run(device, graph -> keeping.batch.here(graph).hessian(graph.read(u)));
                assertEquals(
                        ReferenceMlp.dot(hv, u.doubles()),
                        ReferenceMlp.dot(hu, v.doubles()),
                        1e-4 * (1 + Math.abs(curvature)));
                assertArrayEquals(buffers, buffers(net.model()), "running statistics");
                assertArrayEquals(p, Flat.of(parameters));
            }
        }
    }

    private static double[] buffers(Layer model) {
        return model.buffers().stream()
                .map(Variable::tensor)
                .flatMapToDouble(t -> Arrays.stream(t.doubles()))
                .toArray();
    }

    /** On the way to somewhere else the loss changes as its gradient and Hessian say. */
    @ParameterizedTest
    @EnumSource(names = {"MLP", "DEPTHWISE", "TRANSFORMER", "SHARED", "TIED"})
    void movesAlongAVector(TestNet.Kind kind) {
        try (TestNet net = TestNet.of(kind, 4, Device.open("reference"))) {
            var keeping = new Keeping(net.device(), net.group(0, 0.01));
            net.compile(keeping, false);
            net.step();
            Device device = net.device();
            int n = Math.toIntExact(keeping.batch.size());
            Tensor v = vector(device, new Random(1).doubles(n, -1, 1).toArray());
            double h = 2e-3;
            double[][] loss = new double[3][], gradient = new double[3][];
            for (int i = 0; i < 3; i++) {
                double at = (i - 1) * h;
                Function<Graph, BatchLoss.At> there =
                        graph -> keeping.batch.moved(graph.fill(at, DType.F64, Shape.SCALAR), graph.read(v));
                loss[i] = run(device, graph -> there.apply(graph).loss());
                gradient[i] = run(device, graph -> there.apply(graph).gradient());
            }
            assertEquals(
                    (loss[2][0] - loss[0][0]) / (2 * h),
                    ReferenceMlp.dot(gradient[1], v.doubles()),
                    1e-3 * (1 + Math.abs(loss[1][0])));
            double[] product = run(device, graph -> keeping.batch.here(graph).hessian(graph.read(v)));
            double[] difference = ReferenceMlp.scaled(0.5 / h, ReferenceMlp.plus(gradient[2], -1, gradient[0]));
            assertArrayEquals(difference, product, 1e-2 * largest(product));
        }
    }

    /** Every column of the Gauss-Newton matrix and of the Hessian, against plain loops. */
    @Test
    void matricesOfTheMlp() {
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 2)) {
            var keeping = new Keeping(net.device(), net.group(0, 0));
            net.compile(keeping, false);
            net.step();
            var mlp = new ReferenceMlp(net.lastInputs(), net.lastLabels());
            double[] p = Flat.of(net.model().parameters());
            Random random = new Random(5);
            for (int i = 0; i < 5; i++) {
                double[] v = random.doubles(p.length, -1, 1).toArray();
                Tensor tensor = vector(net.device(), v);
                assertArrayEquals(
                        mlp.gaussNewton(p, v),
                        run(net.device(), graph -> keeping.batch.here(graph).gaussNewton(graph.read(tensor))),
                        1e-5);
                assertArrayEquals(
                        mlp.hessian(p, v),
                        run(net.device(), graph -> keeping.batch.here(graph).hessian(graph.read(tensor))),
                        1e-5);
            }
        }
    }
}
