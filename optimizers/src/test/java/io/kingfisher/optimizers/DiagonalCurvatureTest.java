package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Recording;
import io.kingfisher.optimizers.diagonal.AdaHessian;
import io.kingfisher.optimizers.diagonal.Esgd;
import io.kingfisher.optimizers.diagonal.Sophia;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Random;
import io.kingfisher.runtime.graph.Value;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** AdaHessian, ESGD and Sophia beside references in double precision, and what theory says of their estimates. */
class DiagonalCurvatureTest {
    private static final double RATE = 0.05, DECAY = 1e-2;

    /** A step of a method on all parameters in one vector; {@code estimate} is null where none was taken. */
    private interface Rule {
        void step(double[] p, double[] g, double[] estimate, int t);
    }

    /** A method, its estimate from a random vector v and H v, and its step. */
    private enum Case {
        ADA_HESSIAN(Random.Distribution.RADEMACHER, 1),
        ADA_HESSIAN_RARE(Random.Distribution.RADEMACHER, 3),
        ESGD(Random.Distribution.NORMAL, 4),
        SOPHIA_H(Random.Distribution.NORMAL, 3),
        SOPHIA_G(Random.Distribution.UNIFORM, 3);

        final Random.Distribution distribution;
        final int interval;

        Case(Random.Distribution distribution, int interval) {
            this.distribution = distribution;
            this.interval = interval;
        }

        Optimizer make(TestNet net) {
            var groups = net.group(RATE, DECAY);
            var clipping = new Clipping.None();
            return switch (this) {
                case ADA_HESSIAN -> new AdaHessian(net.device(), groups, AdaHessian.Config.usual(), clipping);
                case ADA_HESSIAN_RARE ->
                    new AdaHessian(net.device(), groups, new AdaHessian.Config(.8, .95, 1e-2, .5, interval), clipping);
                case ESGD -> new Esgd(net.device(), groups, new Esgd.Config(0.1, interval), clipping);
                case SOPHIA_H ->
                    new Sophia(net.device(), groups, sophia(Sophia.Estimator.HUTCHINSON, interval), clipping);
                case SOPHIA_G ->
                    new Sophia(
                            net.device(), groups, sophia(Sophia.Estimator.GAUSS_NEWTON_BARTLETT, interval), clipping);
            };
        }

        Rule rule() {
            return switch (this) {
                case ADA_HESSIAN -> adaHessian(.9, .999, 1e-4, 1);
                case ADA_HESSIAN_RARE -> adaHessian(.8, .95, 1e-2, .5);
                case ESGD -> esgd(0.1);
                case SOPHIA_H, SOPHIA_G -> sophia(.9, .8, 0.5, 1e-2);
            };
        }
    }

    private static Sophia.Config sophia(Sophia.Estimator estimator, int interval) {
        return new Sophia.Config(estimator, .9, .8, 0.5, 1e-2, interval);
    }

    private static Rule adaHessian(double b1, double b2, double eps, double power) {
        double[] m = new double[ReferenceMlp.SIZE], v = new double[ReferenceMlp.SIZE];
        int[] taken = {0};
        return (p, g, h, t) -> {
            taken[0] += h == null ? 0 : 1;
            for (int i = 0; i < p.length; i++) {
                m[i] = b1 * m[i] + (1 - b1) * g[i];
                v[i] = h == null ? v[i] : b2 * v[i] + (1 - b2) * h[i] * h[i];
                double diagonal = Math.sqrt(v[i] / (1 - Math.pow(b2, taken[0])));
                double step = m[i] / (1 - Math.pow(b1, t)) / (Math.pow(diagonal, power) + eps);
                p[i] -= RATE * (step + DECAY * p[i]);
            }
        };
    }

    private static Rule esgd(double damping) {
        double[] d = new double[ReferenceMlp.SIZE];
        int[] taken = {0};
        return (p, g, h, t) -> {
            taken[0] += h == null ? 0 : 1;
            for (int i = 0; i < p.length; i++) {
                d[i] += h == null ? 0 : h[i] * h[i];
                p[i] -= RATE * (g[i] + DECAY * p[i]) / (Math.sqrt(d[i] / taken[0]) + damping);
            }
        };
    }

    private static Rule sophia(double b1, double b2, double rho, double eps) {
        double[] m = new double[ReferenceMlp.SIZE], h = new double[ReferenceMlp.SIZE];
        return (p, g, fresh, t) -> {
            for (int i = 0; i < p.length; i++) {
                m[i] = b1 * m[i] + (1 - b1) * g[i];
                h[i] = fresh == null ? h[i] : b2 * h[i] + (1 - b2) * fresh[i];
                p[i] -= RATE * DECAY * p[i];
                p[i] -= RATE * Math.clamp(m[i] / Math.max(rho * h[i], eps), -1, 1);
            }
        };
    }

    private static double[] estimate(Case method, TestNet net, ReferenceMlp mlp, double[] p) {
        List<Parameter> parameters = net.model().parameters();
        if (method == Case.SOPHIA_G) {
            double[] q = mlp.logits(p), seed = mlp.probabilities(p);
            double[] u = net.drawn(method.distribution, 0, Shape.of(mlp.batch, ReferenceMlp.OUT));
            for (int n = 0; n < mlp.batch; n++) {
                int row = n * ReferenceMlp.OUT, drawn = row;
                for (int c = row; c < row + ReferenceMlp.OUT; c++) {
                    q[c] -= Math.log(-Math.log(u[c]));
                    drawn = q[c] > q[drawn] ? c : drawn;
                }
                seed[drawn] -= 1;
            }
            double[] mean = ReferenceMlp.scaled(1.0 / mlp.batch, mlp.pull(p, seed));
            return Arrays.stream(mean).map(g -> mlp.batch * g * g).toArray();
        }
        double[] v = IntStream.range(0, parameters.size())
                .boxed()
                .flatMapToDouble(i -> Arrays.stream(
                        net.drawn(method.distribution, i, parameters.get(i).shape())))
                .toArray();
        double[] hv = mlp.hessian(p, v);
        for (int i = 0; i < hv.length; i++) {
            hv[i] *= method == Case.SOPHIA_H ? v[i] : 1;
        }
        return hv;
    }

    /** A hundred steps for two seeds; the reference has its own gradients and second derivatives. */
    @ParameterizedTest
    @EnumSource
    void followsTheReference(Case method) {
        for (int seed = 1; seed <= 2; seed++) {
            try (TestNet net = TestNet.of(TestNet.Kind.MLP, seed)) {
                net.compile(method.make(net), false);
                List<Parameter> parameters = net.model().parameters();
                double[] p = Flat.of(parameters);
                Rule rule = method.rule();
                for (int t = 1; t <= 100; t++) {
                    net.step();
                    var mlp = new ReferenceMlp(net.lastInputs(), net.lastLabels());
                    boolean due = (t - 1) % method.interval == 0;
                    rule.step(p, mlp.gradient(p), due ? estimate(method, net, mlp, p) : null, t);
                    SideBySide.compare(Flat.parts(parameters, p), t);
                }
            }
        }
    }

    /**
     * On nets with norms, convolutions and attention the squared products with the Hessian are what differences of the
     * engine's gradients say; those of a convolution are averaged over the kernel's positions first.
     */
    @ParameterizedTest
    @EnumSource(
            value = TestNet.Kind.class,
            names = {"CONV", "DEPTHWISE", "TRANSFORMER", "SHARED", "TIED"})
    void productsAreDifferencesOfGradients(TestNet.Kind kind) {
        try (TestNet net = TestNet.of(kind, 4, Device.open("reference"))) {
            Optimizer optimizer =
                    new AdaHessian(net.device(), net.group(0, 0), AdaHessian.Config.usual(), new Clipping.None());
            net.compile(optimizer, true);
            List<Parameter> parameters = net.model().parameters();
            net.step();
            double[] p = Flat.of(parameters);
            // Vectors are drawn in the order in which the recording met the parameters.
            List<Parameter> order = net.recorded();
            Map<Parameter, double[]> estimates = new HashMap<>();
            parameters.forEach(q -> estimates.put(
                    q, optimizer.state().tensors().get(q.path() + ".curvature").doubles()));
            // With CONV no input of a ReLU may cross 0 on the way.
            double step = kind == TestNet.Kind.CONV ? 2e-5 : 1e-3;
            double[][] gradients = new double[2][];
            double[] v =
                    Flat.of(parameters, q -> net.drawn(Random.Distribution.RADEMACHER, order.indexOf(q), q.shape()));
            for (int side = 0; side < 2; side++) {
                double[] moved = ReferenceMlp.plus(p, side == 0 ? step : -step, v);
                Flat.parts(parameters, moved).forEach((q, values) -> q.tensor().write(values));
                net.again();
                gradients[side] = Flat.of(parameters, net::gradient);
            }
            double[] product = ReferenceMlp.scaled(0.5 / step, ReferenceMlp.plus(gradients[0], -1, gradients[1]));
            Map<Parameter, double[]> products = Flat.parts(parameters, product);
            double largest = Arrays.stream(product).map(Math::abs).max().orElse(0);
            products.forEach((q, hv) -> {
                double[] kept = estimates.get(q);
                int block = hv.length / kept.length;
                assertEquals(
                        q.shape().rank() == 4 ? q.shape().dim(2) * q.shape().dim(3) : 1, block);
                for (int i = 0; i < kept.length; i++) {
                    double mean = Arrays.stream(hv, i * block, (i + 1) * block)
                                    .map(Math::abs)
                                    .sum()
                            / block;
                    assertEquals(mean, Math.sqrt(kept[i]), 5e-3 * largest, q.path() + " at " + i);
                }
            });
        }
    }

    /** The loss w^T H w / 2 + b^T w of a weight [1 x n], which an optimizer sees as that of a linear layer. */
    private static final class Quadratic implements AutoCloseable {
        final Device device = Device.open("cpu", new DeviceOptions(1));
        final Layer model;
        final Tensor random = device.allocate(DType.I32, Shape.of(4));
        final int n;
        Optimizer optimizer;
        Program program;

        Quadratic(int n) {
            this.n = n;
            model = new Linear(n, 1, false);
            model.initialize(device, 1);
        }

        Quadratic compile(Optimizer with, Optimizer.Cadence cadence, double[] h, double... w) {
            optimizer = with;
            model.parameters().get(0).tensor().write(w);
            Graph graph = new Graph();
            Recording r = Recording.train(graph, random);
            Value x = r.value(model.parameters().get(0));
            Value product = x.matmul(graph.constant(DType.F32, Shape.of(n, n), h));
            Gradients gradients = r.gradients(product.mul(x).sum().mul(0.5));
            with.record(gradients, cadence);
            program = device.compile(graph);
            return this;
        }

        List<ParameterGroup> group(double rate) {
            return List.of(new ParameterGroup(model.parameters(), rate, 0));
        }

        double[] step(int t) {
            optimizer.advance();
            random.set(2, t);
            program.replay();
            optimizer.finish();
            return model.parameters().get(0).tensor().doubles();
        }

        double[] curvature() {
            return optimizer.state().tensors().get("weight.curvature").doubles();
        }

        @Override
        public void close() {
            device.close();
        }
    }

    /** H = [[1, 2], [2, -2]]: the mean of (H v)^2 is (5, 8), within four standard errors. */
    @Test
    void equilibrationOfASaddle() {
        try (var q = new Quadratic(2)) {
            int steps = 3000;
            q.compile(
                    new Esgd(q.device, q.group(0), new Esgd.Config(1e-4, 1), new Clipping.None()),
                    Optimizer.Cadence.STEP,
                    new double[] {1, 2, 2, -2},
                    1,
                    1);
            for (int t = 1; t <= steps; t++) {
                q.step(t);
            }
            double[] d = q.curvature();
            assertEquals(5, d[0], 4 * 5 * Math.sqrt(2.0 / steps));
            assertEquals(8, d[1], 4 * 8 * Math.sqrt(2.0 / steps));
            // What the denominator is then near: the diagonal of |H|'s square root of H^2.
            assertEquals(2.236068, Math.sqrt(d[0]), 0.15);
            assertEquals(2.828427, Math.sqrt(d[1]), 0.2);
        }
    }

    /** Random signs make the estimate of a diagonal Hessian exact, so that the first step is lr g / |h|. */
    @ParameterizedTest
    @ValueSource(doubles = {1, 0})
    void adaHessianOnADiagonal(double power) {
        try (var q = new Quadratic(3)) {
            var config = new AdaHessian.Config(0.9, 0.999, 1e-12, power, 1);
            q.compile(
                    new AdaHessian(q.device, q.group(0.5), config, new Clipping.None()),
                    Optimizer.Cadence.STEP,
                    new double[] {4, 0, 0, 0, -0.5, 0, 0, 0, 2},
                    1,
                    2,
                    3);
            // g = (4, -1, 6).
            assertArrayEquals(power == 1 ? new double[] {0.5, 3, 1.5} : new double[] {-1, 2.5, 0}, q.step(1), 1e-5);
        }
    }

    /** The mean of v (H v) is the diagonal of H, for a Hessian that is no diagonal too. */
    @Test
    void hutchinsonIsUnbiased() {
        try (var q = new Quadratic(2)) {
            var config = new Sophia.Config(Sophia.Estimator.HUTCHINSON, 0, 0, 1, 1e-3, 1);
            q.compile(
                    new Sophia(q.device, q.group(0), config, new Clipping.None()),
                    Optimizer.Cadence.STEP,
                    new double[] {1, 2, 2, -2},
                    1,
                    1);
            int steps = 3000;
            double[] mean = new double[2];
            for (int t = 1; t <= steps; t++) {
                q.step(t);
                mean = ReferenceMlp.plus(mean, 1.0 / steps, q.curvature());
            }
            // The variance of v0 (h00 v0 + h01 v1) is 2 h00^2 + h01^2.
            assertEquals(1, mean[0], 4 * Math.sqrt((2 + 4.0) / steps));
            assertEquals(-2, mean[1], 4 * Math.sqrt((8 + 4.0) / steps));
        }
    }

    /** A step is Newton's where the curvature is large, and the sign's where it is small, negative or 0. */
    @Test
    void sophiaClips() {
        try (var q = new Quadratic(3)) {
            var config = new Sophia.Config(Sophia.Estimator.HUTCHINSON, 0, 0, 1, 1e-12, 1);
            q.compile(
                    new Sophia(q.device, q.group(0.1), config, new Clipping.None()),
                    Optimizer.Cadence.STEP,
                    new double[] {1e4, 0, 0, 0, -3, 0, 0, 0, 0},
                    1e-6,
                    2,
                    3);
            double[] after = q.step(1), h = q.curvature();
            assertTrue(h[0] > 0.01, "an estimate v^2 h");
            assertEquals(1e-6 - 0.1 * Math.min(1, 1e-2 / h[0]), after[0], 1e-7);
            assertEquals(2.1, after[1], 1e-6);
            // A gradient of 0.
            assertEquals(3, after[2], 0);
        }
    }

    /** Labels drawn from the model: the mean of B g^2 is the Gauss-Newton diagonal. */
    @Test
    void bartlettEstimatesTheGaussNewtonDiagonal() {
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 1)) {
            var config = new Sophia.Config(Sophia.Estimator.GAUSS_NEWTON_BARTLETT, 0, 0, 1, 1e-3, 1);
            Optimizer sophia = new Sophia(net.device(), net.group(0, 0), config, new Clipping.None());
            net.compile(sophia, false);
            List<Parameter> parameters = net.model().parameters();
            net.step();
            double[] p = Flat.of(parameters);
            var mlp = new ReferenceMlp(net.lastInputs(), net.lastLabels());
            double[][] matrix = ReferenceMlp.dense(v -> mlp.gaussNewton(p, v), p.length);
            int draws = 1500;
            double[] sum = new double[p.length], squares = new double[p.length];
            for (int t = 0; t < draws; t++) {
                net.again();
                double[] h = Flat.of(
                        parameters,
                        q -> sophia.state()
                                .tensors()
                                .get(q.path() + ".curvature")
                                .doubles());
                for (int i = 0; i < h.length; i++) {
                    sum[i] += h[i];
                    squares[i] += h[i] * h[i];
                }
            }
            for (int i = 0; i < p.length; i++) {
                double mean = sum[i] / draws, deviation = Math.sqrt(squares[i] / draws - mean * mean);
                assertEquals(matrix[i][i], mean, 5 * deviation / Math.sqrt(draws) + 1e-7, "element " + i);
            }
        }
    }

    /** Probes have mean 0 and variance 1, and are independent of each other. */
    @ParameterizedTest
    @EnumSource(names = {"RADEMACHER", "NORMAL"})
    void probesAreWhite(Random.Distribution distribution) {
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 1)) {
            int n = 40_000;
            double[] a = net.drawn(distribution, 0, Shape.of(n)), b = net.drawn(distribution, 1, Shape.of(n));
            double kurtosis = distribution == Random.Distribution.NORMAL ? 3 : 1;
            for (double[] v : List.of(a, b)) {
                assertEquals(0, Arrays.stream(v).sum() / n, 4 / Math.sqrt(n));
                double variance = ReferenceMlp.dot(v, v) / n;
                assertEquals(1, variance, 4 * Math.sqrt((kurtosis - 1) / n) + 1e-12);
            }
            assertEquals(0, ReferenceMlp.dot(a, b) / n, 4 / Math.sqrt(n));
            assertEquals(0, ReferenceMlp.dot(a, Arrays.copyOfRange(a, 1, n + 1)) / n, 4 / Math.sqrt(n), "neighbours");
        }
    }

    /** The Hessian of a batch in several parts is that of the batch in one. */
    @ParameterizedTest
    @EnumSource(
            value = TestNet.Kind.class,
            names = {"MLP", "TRANSFORMER"})
    void partsEqualTheWhole(TestNet.Kind kind) {
        double[][] kept = new double[2][];
        for (int parts : new int[] {1, 3}) {
            try (TestNet net = TestNet.of(kind, 2, TestNet.BATCH, parts)) {
                Optimizer esgd = new Esgd(net.device(), net.group(0, 0), Esgd.Config.usual(), new Clipping.None());
                net.compile(esgd, false);
                net.step();
                kept[parts / 2] = Flat.of(
                        net.model().parameters(),
                        p -> esgd.state().tensors().get(p.path() + ".curvature").doubles());
            }
        }
        double largest = Arrays.stream(kept[0]).max().orElse(0);
        assertTrue(largest > 0);
        assertArrayEquals(kept[0], kept[1], 2e-5 * largest);
    }

    /** An estimate with a NaN is left out and reported; the gradient of that step may still be finite. */
    @Test
    void estimatesThatAreNotFiniteAreReported() {
        try (var q = new Quadratic(2)) {
            q.compile(
                    new Esgd(q.device, q.group(0), new Esgd.Config(1e-4, 1), new Clipping.None()),
                    Optimizer.Cadence.STEP,
                    new double[] {1, Float.MAX_VALUE, Float.MAX_VALUE, 1},
                    0,
                    0);
            q.step(1);
            assertArrayEquals(new double[] {0, 0}, q.curvature());
            assertEquals(
                    List.of("weight.curvature: 1 estimates were not finite and were left out"), q.optimizer.reports());
            assertEquals(List.of(), q.optimizer.reports());
        }
    }

    @Test
    void refusesBadSettings() {
        assertThrows(KingfisherException.class, () -> new AdaHessian.Config(1, 0.9, 1e-4, 1, 1));
        assertThrows(KingfisherException.class, () -> new AdaHessian.Config(0.9, 0.9, 0, 1, 1));
        assertThrows(KingfisherException.class, () -> new AdaHessian.Config(0.9, 0.9, 1e-4, Double.NaN, 1));
        assertThrows(KingfisherException.class, () -> new Esgd.Config(0, 20));
        assertThrows(KingfisherException.class, () -> new Sophia.Config(Sophia.Estimator.HUTCHINSON, 0, 0, 0, 1, 1));
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 1)) {
            assertThrows(
                    KingfisherException.class,
                    () -> new Esgd(net.device(), net.group(1, 0), new Esgd.Config(1, 0), new Clipping.None()));
        }
    }
}
