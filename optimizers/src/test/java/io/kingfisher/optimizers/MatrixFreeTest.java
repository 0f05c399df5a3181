package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Activation;
import io.kingfisher.layers.Dropout;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.LossScale;
import io.kingfisher.layers.LossValue;
import io.kingfisher.layers.MeanSquaredError;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Sequential;
import io.kingfisher.optimizers.matrixfree.CurveBall;
import io.kingfisher.optimizers.matrixfree.HessianFree;
import io.kingfisher.optimizers.matrixfree.Lbfgs;
import io.kingfisher.optimizers.matrixfree.Minres;
import io.kingfisher.optimizers.matrixfree.Sgn;
import io.kingfisher.optimizers.matrixfree.StrongWolfe;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** SGN, CurveBall, Hessian-free and L-BFGS: references, exact cases and what they do when something goes wrong. */
class MatrixFreeTest {
    private static final Clipping NONE = new Clipping.None();
    /** Longer steps on batches of six samples would let rounding errors grow without end. */
    private static final double RATE = 0.1, DECAY = 0.2;

    private static final Sgn.Config SGN = new Sgn.Config(0.5, 5, true);
    private static final CurveBall.Config CURVE_BALL = new CurveBall.Config(1, 0.9, 5);
    private static final HessianFree.Config HF = new HessianFree.Config(1, 7, 0, 0.95, 0, 0.75);
    private static final Lbfgs.Config LBFGS = new Lbfgs.Config(4, new StrongWolfe(1e-4, 0.9, 25));

    private enum Case {
        SGN(
                net -> new Sgn(net.device(), net.group(RATE, DECAY), MatrixFreeTest.SGN, NONE),
                () -> ReferenceMatrixFree.sgn(MatrixFreeTest.SGN)),
        CURVE_BALL(
                net -> new CurveBall(net.device(), net.group(RATE, DECAY), MatrixFreeTest.CURVE_BALL, NONE),
                () -> ReferenceMatrixFree.curveBall(MatrixFreeTest.CURVE_BALL)),
        HF(
                net -> new HessianFree(net.device(), net.group(RATE, DECAY), MatrixFreeTest.HF, NONE),
                () -> ReferenceMatrixFree.hessianFree(MatrixFreeTest.HF)),
        LBFGS(net -> new Lbfgs(net.device(), net.group(RATE, DECAY), MatrixFreeTest.LBFGS, NONE), () -> {
            throw new AssertionError("has a test of its own");
        });

        final Function<TestNet, Optimizer> maker;
        final Supplier<ReferenceMatrixFree> reference;

        Case(Function<TestNet, Optimizer> maker, Supplier<ReferenceMatrixFree> reference) {
            this.maker = maker;
            this.reference = reference;
        }
    }

    /** A hundred steps on changing batches for two seeds. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "LBFGS")
    void followsTheReference(Case method) {
        for (int seed = 1; seed <= 2; seed++) {
            try (TestNet net = TestNet.of(TestNet.Kind.MLP, seed)) {
                Optimizer optimizer = method.maker.apply(net);
                net.compile(optimizer, false);
                List<Parameter> parameters = net.model().parameters();
                double[] p = Flat.of(parameters);
                ReferenceMatrixFree reference = method.reference.get();
                for (int t = 1; t <= 100; t++) {
                    assertEquals(Optimizer.Cadence.SOLVE, net.step());
                    p = ReferenceMlp.plus(p, RATE, reference.step(problem(net), p));
                    SideBySide.compare(Flat.parts(parameters, p), t);
                }
                assertEquals(List.of(), optimizer.reports());
            }
        }
    }

    private static ReferenceMatrixFree.Problem problem(TestNet net) {
        return new ReferenceMatrixFree.Problem(new ReferenceMlp(net.lastInputs(), net.lastLabels()), DECAY);
    }

    /**
     * A hundred steps of L-BFGS for two seeds: each goes along the direction of dense BFGS with the same pairs, by a length with
     * the strong Wolfe conditions. Which of all those lengths it is hangs on the last digits of the loss, so the reference takes
     * the engine's; gradients and pairs are its own.
     */
    @Test
    void lbfgsFollowsDenseBfgs() {
        for (int seed = 1; seed <= 2; seed++) {
            try (TestNet net = TestNet.of(TestNet.Kind.MLP, seed)) {
                Optimizer optimizer = Case.LBFGS.maker.apply(net);
                net.compile(optimizer, false);
                List<Parameter> parameters = net.model().parameters();
                var reference = new ReferenceMatrixFree.Bfgs(LBFGS.memory());
                double[] before = Flat.of(parameters);
                for (int t = 1; t <= 100; t++) {
                    net.step();
                    ReferenceMatrixFree.Problem f = problem(net);
                    double[] after = Flat.of(parameters), d = reference.direction(f, before);
                    double[] step = ReferenceMlp.scaled(1 / RATE, ReferenceMlp.plus(after, -1, before));
                    double alpha = ReferenceMlp.dot(step, d) / ReferenceMlp.dot(d, d);
                    double[] rest = ReferenceMlp.plus(step, -alpha, d);
                    double off = Math.sqrt(ReferenceMlp.dot(rest, rest) / ReferenceMlp.dot(step, step));
                    assertTrue(off < 1e-3, "step " + t + " is off the direction by " + off);
                    double slope = ReferenceMlp.dot(f.gradient(before), d);
                    double[] there = ReferenceMlp.plus(before, alpha, d);
                    assertTrue(f.loss(there) <= f.loss(before) + 1e-4 * alpha * slope + 1e-6, "decrease in step " + t);
                    double left = Math.abs(ReferenceMlp.dot(f.gradient(there), d));
                    assertTrue(left <= -0.9 * slope * (1 + 1e-4), "slope in step " + t);
                    reference.take(f, before, ReferenceMlp.scaled(alpha, d));
                    before = after;
                }
                assertEquals(List.of(), optimizer.reports());
            }
        }
    }

    /** A model on one batch, step after step. */
    private static final class OneBatch implements AutoCloseable {
        final Device device = Device.open("cpu", new DeviceOptions(1));
        final Layer model;
        final Tensor random = device.allocate(DType.I32, Shape.of(4));
        Optimizer optimizer;
        Program program;

        OneBatch(Layer model) {
            this.model = model;
            model.initialize(device, 1);
        }

        List<ParameterGroup> group(double rate) {
            return List.of(new ParameterGroup(model.parameters(), rate, 0));
        }

        OneBatch compile(Optimizer with, BiFunction<Recording, Graph, Object> loss) {
            optimizer = with;
            Graph graph = new Graph();
            Recording r = Recording.train(graph, random);
            var gradients = switch (loss.apply(r, graph)) {
                case LossValue value -> r.gradients(value);
                case Value value -> r.gradients(value);
                case Object other -> throw new AssertionError(other);
            };
            graph.output("loss", gradients.loss());
            optimizer.record(gradients, Optimizer.Cadence.SOLVE);
            program = device.compile(graph);
            return this;
        }

        double step() {
            optimizer.advance();
            random.set(2, optimizer.step());
            program.replay();
            optimizer.finish();
            return program.output("loss").item();
        }

        double[] parameters() {
            return Flat.of(model.parameters());
        }

        @Override
        public void close() {
            optimizer.close();
            program.close();
            model.close();
            random.close();
            assertEquals(0, device.live(), "tensors and programs left open");
            device.close();
        }
    }

    private static double[] data(int seed, int n) {
        return new Random(seed).doubles(n, -1, 1).toArray();
    }

    /** Least squares: 20 samples, 4 inputs, 3 outputs. */
    private static Object leastSquares(Layer model, Recording r, Graph graph) {
        Value x = graph.constant(DType.F32, Shape.of(20, 4), data(1, 80));
        Value y = graph.constant(DType.F32, Shape.of(20, 3), data(2, 60));
        return new MeanSquaredError().apply(r, model.apply(r, x), y);
    }

    private static double[] leastSquaresSolution() {
        double[] x = data(1, 80), y = data(2, 60), solution = new double[15];
        double[][] moments = Dense.zeros(5, 5), right = Dense.zeros(5, 3);
        for (int n = 0; n < 20; n++) {
            double[] row = {x[4 * n], x[4 * n + 1], x[4 * n + 2], x[4 * n + 3], 1};
            for (int i = 0; i < 5; i++) {
                for (int j = 0; j < 5; j++) {
                    moments[i][j] += row[i] * row[j];
                }
                for (int c = 0; c < 3; c++) {
                    right[i][c] += row[i] * y[3 * n + c];
                }
            }
        }
        double[][] w = Dense.times(Dense.inverse(moments), right);
        for (int c = 0; c < 3; c++) {
            for (int i = 0; i < 4; i++) {
                solution[4 * c + i] = w[i][c];
            }
            solution[12 + c] = w[4][c];
        }
        return solution;
    }

    /** One step with hardly any damping lands on the solution of a linear least-squares problem. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void oneStepSolvesLeastSquares(boolean hessianFree) {
        var batch = new OneBatch(new Linear(4, 3));
        try (batch) {
            batch.compile(
                    hessianFree
                            ? new HessianFree(
                                    batch.device,
                                    batch.group(1),
                                    new HessianFree.Config(1e-9, 100, 0, 0.95, 4, 0.75),
                                    NONE)
                            : new Sgn(batch.device, batch.group(1), new Sgn.Config(1e-9, 100, false), NONE),
                    (r, graph) -> leastSquares(batch.model, r, graph));
            batch.step();
            assertArrayEquals(leastSquaresSolution(), batch.parameters(), 1e-5);
            assertEquals(List.of(), batch.optimizer.reports());
        }
    }

    /** Conjugate gradients to convergence, MINRES and a dense solve give one damped Gauss-Newton step. */
    @ParameterizedTest
    @ValueSource(doubles = {0.05, 1, 1e5})
    void convergedStepIsTheDenseOne(double damping) {
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 3)) {
            List<Parameter> parameters = net.model().parameters();
            net.compile(new Sgn(net.device(), net.group(1, 0), new Sgn.Config(damping, 200, false), NONE), false);
            double[] before = Flat.of(parameters);
            net.step();
            double[] step = ReferenceMlp.plus(Flat.of(parameters), -1, before);
            var mlp = new ReferenceMlp(net.lastInputs(), net.lastLabels());
            double[][] matrix = ReferenceMlp.dense(v -> mlp.gaussNewton(before, v), before.length);
            double[][] damped = Dense.plus(matrix, damping, Dense.identity(before.length));
            double[] g = mlp.gradient(before), want = new double[g.length];
            double[][] inverse = Dense.inverse(damped);
            double size = 0;
            for (int i = 0; i < g.length; i++) {
                want[i] = -ReferenceMlp.dot(inverse[i], g);
                size = Math.max(size, Math.abs(want[i]));
                if (damping == 1e5) {
                    // Much damping is steepest descent.
                    assertEquals(-g[i] / damping, want[i], 1e-5 * size);
                }
            }
            assertArrayEquals(want, step, (damping == 1e5 ? 1e-2 : 1e-4) * size + (damping == 1e5 ? 6e-8 : 0));
            try (var minres = new Minres(
                    net.device(),
                    g.length,
                    v -> v.graph()
                            .constant(DType.F32, Shape.of(g.length, g.length), flat(damped))
                            .matmul(v.reshape(g.length, 1))
                            .reshape(g.length))) {
                minres.right().write(ReferenceMlp.scaled(-1, g));
                minres.solve(300, 1e-7);
                assertArrayEquals(want, minres.solution().doubles(), 1e-4 * size);
            }
        }
    }

    private static double[] flat(double[][] matrix) {
        return java.util.Arrays.stream(matrix)
                .flatMapToDouble(java.util.Arrays::stream)
                .toArray();
    }

    /** In two dimensions the plane of gradient and momentum is everything, so that the second step ends at the minimum. */
    @Test
    void curveBallSolvesTwoDimensionsInTwoSteps() {
        var batch = new OneBatch(new Linear(2, 1, false));
        try (batch) {
            batch.compile(
                    new CurveBall(batch.device, batch.group(1), new CurveBall.Config(1e-9, 1, 5), NONE), (r, graph) -> {
                        Value x = graph.constant(DType.F32, Shape.of(3, 2), 1, 2, -1, 0.5, 0.3, 3);
                        // Targets that weights of (2, -1) meet.
                        Value y = graph.constant(DType.F32, Shape.of(3, 1), 0, -2.5, -2.4);
                        return new MeanSquaredError().apply(r, batch.model.apply(r, x), y);
                    });
            double first = batch.step(), second = batch.step(), third = batch.step();
            assertTrue(first > 0.1 && second > 1e-3 && second < first, first + " " + second);
            assertEquals(0, third, 1e-11);
            assertArrayEquals(new double[] {2, -1}, batch.parameters(), 1e-5);
        }
    }

    /** Iterated on least squares it ends where a dense solve does. */
    @Test
    void curveBallReachesTheSolution() {
        var batch = new OneBatch(new Linear(4, 3));
        try (batch) {
            batch.compile(
                    new CurveBall(batch.device, batch.group(1), new CurveBall.Config(1e-4, 0.9, 5), NONE),
                    (r, graph) -> leastSquares(batch.model, r, graph));
            for (int t = 0; t < 80; t++) {
                batch.step();
            }
            assertArrayEquals(leastSquaresSolution(), batch.parameters(), 1e-4);
        }
    }

    /** With all pairs and exact line searches L-BFGS makes the steps of conjugate gradients and ends after n of them. */
    @Test
    void lbfgsIsConjugateGradients() {
        var batch = new OneBatch(new Linear(4, 1));
        try (batch) {
            double[] x = data(1, 80), y = data(2, 20);
            batch.compile(
                    new Lbfgs(batch.device, batch.group(1), new Lbfgs.Config(8, new StrongWolfe(1e-6, 1e-4, 25)), NONE),
                    (r, graph) -> new MeanSquaredError()
                            .apply(
                                    r,
                                    batch.model.apply(r, graph.constant(DType.F32, Shape.of(20, 4), x)),
                                    graph.constant(DType.F32, Shape.of(20, 1), y)));
            compareWithConjugateGradients(batch, x, y, 5e-4);
        }
    }

    private static void compareWithConjugateGradients(OneBatch batch, double[] x, double[] y, double tolerance) {
        double[][] h = Dense.zeros(5, 5);
        double[] right = new double[5];
        for (int n = 0; n < 20; n++) {
            double[] row = {x[4 * n], x[4 * n + 1], x[4 * n + 2], x[4 * n + 3], 1};
            for (int i = 0; i < 5; i++) {
                right[i] += 0.1 * row[i] * y[n];
                for (int j = 0; j < 5; j++) {
                    h[i][j] += 0.1 * row[i] * row[j];
                }
            }
        }
        var path = ReferenceMatrixFree.Path.of(
                v -> {
                    double[] result = new double[5];
                    for (int i = 0; i < 5; i++) {
                        result[i] = ReferenceMlp.dot(h[i], v);
                    }
                    return result;
                },
                right,
                batch.parameters(),
                5);
        for (int t = 0; t < 5; t++) {
            batch.step();
            assertArrayEquals(path.x().get(t), batch.parameters(), tolerance, "step " + t);
        }
    }

    /** Rosenbrock's valley from (-1.2, 1). */
    @Test
    void lbfgsFollowsRosenbrocksValley() {
        var batch = new OneBatch(new Linear(2, 1, false));
        try (batch) {
            batch.model.parameters().get(0).tensor().write(-1.2, 1.0);
            batch.compile(new Lbfgs(batch.device, batch.group(1), Lbfgs.Config.usual(), NONE), (r, _) -> {
                Value w = r.value(batch.model.parameters().get(0));
                Value a = w.slice(1, 0, 1), b = w.slice(1, 1, 2);
                Value bend = b.sub(a.square()).square().mul(100),
                        rest = a.neg().add(1).square();
                return bend.add(rest).sum();
            });
            double loss = batch.step();
            assertEquals(24.2, loss, 1e-4);
            int steps = 1;
            while (loss > 1e-8 && steps < 60) {
                double next = batch.step();
                assertTrue(next <= loss, "rises");
                loss = next;
                steps++;
            }
            assertTrue(steps <= 45, steps + " steps, loss " + loss);
            assertArrayEquals(new double[] {1, 1}, batch.parameters(), 1e-3);
        }
    }

    /** With dropout every look at the loss drops the same elements: a line search along the gradient finds what it tells. */
    @Test
    void dropoutDropsTheSame() {
        var model = new Sequential(new Linear(4, 30), Activation.tanh(), new Dropout(0.5), new Linear(30, 3));
        var batch = new OneBatch(model);
        try (batch) {
            batch.compile(
                    new Lbfgs(batch.device, batch.group(1), new Lbfgs.Config(1, new StrongWolfe(1e-4, 0.1, 25)), NONE),
                    (r, graph) -> leastSquares(model, r, graph));
            for (int i = 0; i < 5; i++) {
                double before = batch.step();
                // The same random state, so the same loss function.
                batch.program.replay();
                assertTrue(batch.program.output("loss").item() < before, "step " + i);
                assertEquals(List.of(), batch.optimizer.reports());
            }
        }
    }

    /** The preconditioner changes the way, not the goal. */
    @Test
    void preconditionedHessianFreeSolvesTheSameSystem() {
        double[][] steps = new double[2][];
        for (int draws : new int[] {0, 6}) {
            try (TestNet net = TestNet.of(TestNet.Kind.MLP, 3)) {
                List<Parameter> parameters = net.model().parameters();
                var config = new HessianFree.Config(2, 200, 0, 0, draws, 0.75);
                net.compile(new HessianFree(net.device(), net.group(1, 0), config, NONE), false);
                net.step();
                steps[draws == 0 ? 0 : 1] =
                        net.optimizer().state().tensors().get("solution").doubles();
                assertEquals(ReferenceMlp.SIZE, Flat.of(parameters).length);
            }
        }
        assertArrayEquals(steps[0], steps[1], 1e-5);
    }

    /** Two steps; of L-BFGS the direction of the first, as its length hangs on the last digits of the loss. */
    @ParameterizedTest
    @EnumSource
    void microBatchesAreOneBatch(Case method) {
        double[][] moved = new double[2][];
        for (int parts : new int[] {1, 3}) {
            try (TestNet net = TestNet.of(TestNet.Kind.MLP, 2, TestNet.BATCH, parts)) {
                net.compile(method.maker.apply(net), false);
                double[] before = Flat.of(net.model().parameters());
                for (int t = method == Case.LBFGS ? 2 : 1; t <= 2; t++) {
                    net.step();
                }
                double[] step = ReferenceMlp.plus(Flat.of(net.model().parameters()), -1, before);
                double length = method == Case.LBFGS ? Math.sqrt(ReferenceMlp.dot(step, step)) : 1;
                moved[parts / 2] = ReferenceMlp.scaled(1 / length, step);
            }
        }
        assertArrayEquals(moved[0], moved[1], 2e-5);
    }

    /** A loss that is no number moves nothing and spoils no state. */
    @ParameterizedTest
    @EnumSource
    void lossesThatAreNotFiniteChangeNothing(Case method) {
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 2)) {
            net.compile(method.maker.apply(net), false);
            net.step();
            Tensor weight = net.model().parameters().get(0).tensor();
            weight.set(0, Double.NaN);
            var before = net.everything();
            net.step();
            assertTrue(Double.isNaN(net.loss()));
            net.everything().forEach((name, values) -> assertArrayEquals(before.get(name), values, name));
        }
    }

    /** A gradient of zero is the end, not a division by it. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void staysAtAMinimum(int method) {
        var batch = new OneBatch(new Linear(2, 1, false));
        try (batch) {
            batch.model.parameters().get(0).tensor().write(2.0, -1.0);
            Optimizer optimizer = switch (method) {
                case 0 -> new Sgn(batch.device, batch.group(1), Sgn.Config.usual(), NONE);
                case 1 -> new CurveBall(batch.device, batch.group(1), CurveBall.Config.usual(), NONE);
                case 2 -> new HessianFree(batch.device, batch.group(1), HessianFree.Config.usual(), NONE);
                default -> new Lbfgs(batch.device, batch.group(1), Lbfgs.Config.usual(), NONE);
            };
            batch.compile(optimizer, (r, graph) -> {
                Value x = graph.constant(DType.F32, Shape.of(2, 2), 1, 2, -1, 0.5);
                Value y = graph.constant(DType.F32, Shape.of(2, 1), 0, -2.5);
                return new MeanSquaredError().apply(r, batch.model.apply(r, x), y);
            });
            for (int i = 0; i < 3; i++) {
                assertEquals(0, batch.step());
                assertArrayEquals(new double[] {2, -1}, batch.parameters());
            }
        }
    }

    @Test
    void refusesWhatItCannotDo() {
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 2)) {
            int live = net.device().live();
            String clip = assertThrows(
                            KingfisherException.class,
                            () -> new Sgn(
                                    net.device(), net.group(1, 0), Sgn.Config.usual(), new Clipping.GlobalNorm(1)))
                    .getMessage();
            assertTrue(clip.contains("leave out clip"), clip);
            assertEquals(live, net.device().live());
            Optimizer sgn = new Sgn(net.device(), net.group(1, 0), Sgn.Config.usual(), NONE);
            Graph graph = new Graph();
            try (var scale = new LossScale(net.device(), LossScale.Config.usual())) {
                Recording r = Recording.train(graph).lossScale(scale);
                Value y = net.model().apply(r, graph.input("x", DType.F32, 2, 11));
                String half = assertThrows(
                                KingfisherException.class,
                                () -> sgn.record(r.gradients(y.sum()), Optimizer.Cadence.SOLVE))
                        .getMessage();
                assertTrue(half.contains("rather than fp16"), half);
            }
            assertThrows(KingfisherException.class, () -> new Sgn.Config(0, 1, false));
            assertThrows(KingfisherException.class, () -> new CurveBall.Config(1, 0, 1));
            assertThrows(KingfisherException.class, () -> new HessianFree.Config(1, 1, 0, 2, 0, 0));
            assertThrows(KingfisherException.class, () -> new HessianFree.Config(1, 1, 0, 0, 0, -1));
            assertThrows(KingfisherException.class, () -> new Lbfgs.Config(0, new StrongWolfe(0.1, 0.2, 1)));
        }
    }
}
