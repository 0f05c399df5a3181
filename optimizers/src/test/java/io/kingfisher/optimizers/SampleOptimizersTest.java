package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.CrossEntropy;
import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.Loss;
import io.kingfisher.layers.MeanSquaredError;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Recording;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.exact.DenseCurvature;
import io.kingfisher.optimizers.exact.DenseMatrix;
import io.kingfisher.optimizers.exact.DenseModel;
import io.kingfisher.optimizers.sample.EmpiricalFisher;
import io.kingfisher.optimizers.sample.Gamma;
import io.kingfisher.optimizers.sample.Mfac;
import io.kingfisher.optimizers.sample.NaturalGradient;
import io.kingfisher.optimizers.sample.SampledFisher;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SampleOptimizersTest {
    /** A direction in double precision, from curvature that is written out. */
    private interface Reference {
        double[] direction(DenseCurvature curvature);
    }

    private static Reference reference(String method) {
        List<double[]> window = new ArrayList<>();
        return switch (method) {
            case "EF" -> c -> gram(c, 0.1, ones(c.sampleGradients().length));
            case "iEF" -> c -> gram(c, 0.1, c.squaredResiduals());
            case "NGD" -> c -> c.step(c.fisher(), 0.05);
            case "SMW-NG" -> c -> DenseMatrix.solve(first(c, 4).empiricalFisher(), 0.1, c.gradient());
            case "SMW-GN" -> c -> DenseMatrix.solve(first(c, 4).gaussNewton(), 0.1, c.gradient());
            default ->
                c -> {
                    window.add(c.gradient());
                    if (window.size() > 4) {
                        window.remove(0);
                    }
                    double[][] f = new double[c.parameters()][c.parameters()];
                    for (double[] v : window) {
                        for (int i = 0; i < v.length; i++) {
                            for (int j = 0; j < v.length; j++) {
                                f[i][j] += v[i] * v[j] / 4;
                            }
                        }
                    }
                    return DenseMatrix.solve(f, 0.05, c.gradient());
                };
        };
    }

    private static Maker maker(String method) {
        return switch (method) {
            case "SMW-GN" -> SampleMakers.GAUSS_NEWTON;
            default ->
                SampleMakers.all().stream()
                        .filter(m -> m.name().equals(method))
                        .findFirst()
                        .orElseThrow();
        };
    }

    private static double[] ones(int n) {
        double[] result = new double[n];
        Arrays.fill(result, 1);
        return result;
    }

    private static double[] gram(DenseCurvature c, double damping, double[] s) {
        double[][] j = c.sampleGradients();
        return DenseMatrix.transposedTimes(j, DenseMatrix.solve(DenseMatrix.gram(j), damping, s), c.parameters());
    }

    private static DenseCurvature first(DenseCurvature c, int samples) {
        int n = samples * c.outputs();
        return new DenseCurvature(
                c.outputs(),
                1,
                samples,
                c.loss(),
                Arrays.copyOf(c.jacobian(), n),
                Arrays.copyOf(c.residual(), n),
                Arrays.copyOf(c.fisherBlocks(), samples),
                Arrays.copyOf(c.hessianBlocks(), samples));
    }

    /** A net's batches in double precision, at the parameters that it has before each step. */
    private static final class Twin implements AutoCloseable {
        final TestNet net;
        final TestNet exact;
        final DenseModel dense;

        Twin(TestNet net, TestNet.Kind kind, long seed, Type input, Type target) {
            this.net = net;
            exact = TestNet.of(kind, seed, Device.open("reference"));
            dense = new DenseModel(exact.device(), exact.model(), new CrossEntropy(), input, target);
        }

        static Twin of(TestNet net, TestNet.Kind kind, long seed) {
            Program program = net.program(Optimizer.Cadence.STEP);
            return new Twin(
                    net,
                    kind,
                    seed,
                    new Type(program.input("x").dtype(), program.input("x").shape()),
                    new Type(program.input("y").dtype(), program.input("y").shape()));
        }

        /** Makes a step; what is returned belongs to the parameters before it. */
        DenseCurvature step() {
            List<Parameter> own = exact.model().parameters(), all = net.model().parameters();
            for (int i = 0; i < own.size(); i++) {
                own.get(i).tensor().write(all.get(i).tensor().doubles());
            }
            net.step();
            return dense.at(net.input("x").doubles(), net.input("y").doubles());
        }

        @Override
        public void close() {
            dense.close();
            exact.close();
        }
    }

    /** A hundred steps beside the dense reference, with momentum and weight decay. */
    @ParameterizedTest
    @CsvSource({
        "EF, MLP, 1",
        "EF, DEPTHWISE, 2",
        "iEF, MLP, 2",
        "iEF, DEPTHWISE, 1",
        "NGD, MLP, 1",
        "NGD, DEPTHWISE, 2",
        "SMW-NG, MLP, 2",
        "SMW-NG, DEPTHWISE, 1",
        "SMW-GN, MLP, 1",
        "SMW-GN, DEPTHWISE, 2",
        "M-FAC, MLP, 1",
        "M-FAC, DEPTHWISE, 2"
    })
    void followsTheDenseReference(String method, TestNet.Kind kind, int seed) {
        double rate = 0.02, decay = method.equals("M-FAC") ? 0 : 1e-2;
        double momentum = method.equals("NGD") ? 0 : method.equals("M-FAC") ? 0.9 : 0.5;
        try (TestNet net = TestNet.of(kind, seed)) {
            net.compile(maker(method).make(net, net.group(rate, decay), new Clipping.None()), false);
            Reference reference = reference(method);
            try (Twin twin = Twin.of(net, kind, seed)) {
                Map<Parameter, double[]> p = net.parameters(), start = net.parameters();
                double[] buffer = null;
                for (int t = 1; t <= 100; t++) {
                    double[] direction = reference.direction(twin.step());
                    buffer = buffer == null ? new double[direction.length] : buffer;
                    int at = 0;
                    for (double[] values : p.values()) {
                        for (int i = 0; i < values.length; i++, at++) {
                            buffer[at] = momentum * buffer[at] + direction[at];
                            values[i] -= rate * (buffer[at] + decay * values[i]);
                        }
                    }
                    SideBySide.compare(p, t);
                }
                start.forEach((parameter, values) ->
                        assertFalse(Arrays.equals(values, p.get(parameter)), parameter.path() + " did not move"));
            }
        }
    }

    /** Weight decay is part of the gradients that M-FAC keeps. */
    @Test
    void mfacKeepsDecayedGradients() {
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 3)) {
            Mfac mfac = new Mfac(net.device(), net.group(0.1, 0.2), new Mfac.Config(1, 0.5, 0), new Clipping.None());
            net.compile(mfac, true);
            Map<Parameter, double[]> p = net.parameters();
            for (int t = 1; t <= 3; t++) {
                net.step();
                double square = 0;
                for (var entry : p.entrySet()) {
                    double[] g = net.gradient(entry.getKey());
                    for (int i = 0; i < g.length; i++) {
                        square += Math.pow(g[i] + 0.2 * entry.getValue()[i], 2);
                    }
                }
                // With one gradient p = g / damping / (1 + |g|^2 / damping).
                double scale = 1 / (0.5 + square);
                p.forEach((parameter, values) -> {
                    double[] g = net.gradient(parameter);
                    for (int i = 0; i < g.length; i++) {
                        values[i] -= 0.1 * scale * (g[i] + 0.2 * values[i]);
                    }
                });
                SideBySide.compare(p, t);
            }
        }
    }

    /** What a step subtracts, of a model with data. */
    private static double[] step(
            Supplier<Layer> models,
            Loss loss,
            int rows,
            double[] x,
            double[] y,
            BiFunction<Device, Layer, Optimizer> maker) {
        try (Device device = Device.open("cpu", new DeviceOptions(1))) {
            Layer model = models.get();
            model.initialize(device, 5);
            return stepFrom(device, model, loss, rows, x, y, maker);
        }
    }

    private static double[] stepFrom(
            Device device,
            Layer model,
            Loss loss,
            int rows,
            double[] x,
            double[] y,
            BiFunction<Device, Layer, Optimizer> maker) {
        Optimizer optimizer = maker.apply(device, model);
        Graph graph = new Graph();
        Recording r = Recording.train(graph, device.allocate(DType.I32, io.kingfisher.runtime.Shape.of(4)));
        boolean classes = loss instanceof CrossEntropy;
        Value in = graph.input("x", DType.F32, rows, x.length / rows),
                out = classes ? graph.input("y", DType.I32, rows) : graph.input("y", DType.F32, rows, y.length / rows);
        optimizer.record(r.gradients(loss.apply(r, model.apply(r, in), out)), Optimizer.Cadence.STEP);
        Program program = device.compile(graph);
        program.input("x").write(x);
        program.input("y").write(y);
        double[] before = flat(model);
        optimizer.advance();
        program.replay();
        optimizer.finish();
        double[] after = flat(model);
        for (int i = 0; i < after.length; i++) {
            after[i] = before[i] - after[i];
        }
        return after;
    }

    private static double[] flat(Layer model) {
        return model.parameters().stream()
                .flatMapToDouble(p -> Arrays.stream(p.tensor().doubles()))
                .toArray();
    }

    private static Optimizer fisher(Device device, Layer model, EmpiricalFisher.Target target, double damping) {
        return new EmpiricalFisher(
                device,
                List.of(new ParameterGroup(model.parameters(), 1, 0)),
                new EmpiricalFisher.Config(target, damping, 1, 0),
                new Clipping.None());
    }

    /** Two samples (0, 0) and (1, 0), z = b + w x at b = 0.5, w = 1. Our squared error is twice the usual one. */
    @Test
    void twoSamplesAndTwoParameters() {
        double[] x = {0, 1}, y = {0, 0};
        DenseCurvature half = new DenseCurvature(
                1,
                1,
                2,
                0,
                new double[][] {{0, 1}, {1, 1}},
                new double[] {0.5, 1.5},
                new double[][][] {{{1}}, {{1}}},
                new double[][][] {{{1}}, {{1}}});
        // Parameters in the order weight, bias.
        double[] ef = gram(half, 0, ones(2)), improved = gram(half, 0, half.squaredResiduals());
        assertArrayEquals(new double[] {-4.0 / 3, 2}, ef, 1e-14);
        assertArrayEquals(new double[] {1, 0.5}, improved, 1e-14);
        assertArrayEquals(improved, half.step(half.fisher(), 0), 1e-14);
        assertEquals(1.054093, half.gamma(ef), 1e-6);
        assertEquals(0.644981, half.gamma(half.gradient()), 1e-6);
        assertEquals(0.632456, half.gamma(improved), 1e-6);
        assertArrayEquals(half.squaredResiduals(), DenseMatrix.times(half.sampleGradients(), improved), 1e-14);
        for (int k = 0; k < 3; k++) {
            int which = k;
            Layer model = new Linear(1, 1);
            try (Device device = Device.open("cpu", new DeviceOptions(1))) {
                model.initialize(device, 1);
                model.parameters().get(0).tensor().write(1.0);
                model.parameters().get(1).tensor().write(0.5);
                double[] made = stepFrom(device, model, new MeanSquaredError(), 2, x, y, (d, m) -> switch (which) {
                    case 0 -> fisher(d, model, EmpiricalFisher.Target.ONE, 0);
                    case 1 -> fisher(d, model, EmpiricalFisher.Target.SQUARED_RESIDUAL, 0);
                    default ->
                        new NaturalGradient(
                                d,
                                List.of(new ParameterGroup(model.parameters(), 1, 0)),
                                new NaturalGradient.Config(0, 0),
                                new Clipping.None());
                });
                double[] expected = which == 0 ? ef : improved;
                double scale = which == 0 ? 0.5 : which == 1 ? 2 : 1;
                for (int i = 0; i < 2; i++) {
                    assertEquals(scale * expected[i], made[i], 1e-6);
                }
            }
        }
    }

    /**
     * For one output and a squared error the improved matrix, natural gradient and Gauss-Newton are one step (twice as long for
     * the first, by the scale of our loss), which ends where all residuals are zero.
     */
    @Test
    void scalarOutputsMakeThemEqual() {
        double[] x = new java.util.Random(1).doubles(4 * 6, -1, 1).toArray(), y = {1, -2, 0.5, 3};
        Supplier<Layer> models = () -> new Linear(6, 1);
        double[] improved = step(
                models,
                new MeanSquaredError(),
                4,
                x,
                y,
                (d, model) -> fisher(d, model, EmpiricalFisher.Target.SQUARED_RESIDUAL, 0));
        double[] natural = step(
                models,
                new MeanSquaredError(),
                4,
                x,
                y,
                (d, model) -> new NaturalGradient(
                        d,
                        List.of(new ParameterGroup(model.parameters(), 1, 0)),
                        new NaturalGradient.Config(0, 0),
                        new Clipping.None()));
        try (Device device = Device.open("cpu", new DeviceOptions(1))) {
            Layer model = models.get();
            model.initialize(device, 5);
            double[] before = flat(model);
            for (int i = 0; i < before.length; i++) {
                assertEquals(2 * natural[i], improved[i], 2e-5);
                before[i] -= natural[i];
            }
            for (int s = 0; s < 4; s++) {
                double z = before[6];
                for (int k = 0; k < 6; k++) {
                    z += before[k] * x[s * 6 + k];
                }
                assertEquals(y[s], z, 2e-5);
            }
        }
    }

    /** Without damping, J times the step is 1, or the squared length of the sample's residual. */
    @ParameterizedTest
    @EnumSource(EmpiricalFisher.Target.class)
    void projectionsAreTheTarget(EmpiricalFisher.Target target) {
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 4)) {
            Optimizer optimizer = fisher(net.device(), net.model(), target, 1e-12);
            net.compile(optimizer, false);
            try (Twin twin = Twin.of(net, TestNet.Kind.MLP, 4)) {
                double[] before = flat(net.model());
                DenseCurvature c = twin.step();
                double[] after = flat(net.model()), moved = new double[before.length];
                for (int i = 0; i < moved.length; i++) {
                    moved[i] = before[i] - after[i];
                }
                double[] projected = DenseMatrix.times(c.sampleGradients(), moved);
                double[] wanted = target == EmpiricalFisher.Target.ONE ? ones(projected.length) : c.squaredResiduals();
                assertArrayEquals(wanted, projected, 2e-5);
            }
        }
    }

    /** With the Fisher matrix's own columns of all samples it is exact natural gradient; large damping gives the gradient. */
    @Test
    void limitsOfFewRows() {
        double[] x = new java.util.Random(2).doubles(5 * 4, -1, 1).toArray(), y = {0, 2, 1, 1, 0};
        Supplier<Layer> models = () -> new Linear(4, 3);
        for (double damping : new double[] {0.05, 1e4}) {
            double[] rows = step(
                    models,
                    new CrossEntropy(),
                    5,
                    x,
                    y,
                    (d, model) -> new SampledFisher(
                            d,
                            List.of(new ParameterGroup(model.parameters(), damping, 0)),
                            new SampledFisher.Config(new LabelSource.Exact(), 100, damping, 0),
                            new Clipping.None()));
            double[] natural = step(
                    models,
                    new CrossEntropy(),
                    5,
                    x,
                    y,
                    (d, model) -> new NaturalGradient(
                            d,
                            List.of(new ParameterGroup(model.parameters(), damping, 0)),
                            new NaturalGradient.Config(damping, 0),
                            new Clipping.None()));
            double[] plain = step(
                    models,
                    new CrossEntropy(),
                    5,
                    x,
                    y,
                    (d, model) -> new Sgd(
                            d,
                            List.of(new ParameterGroup(model.parameters(), 1, 0)),
                            new Sgd.Config(0, 0, false),
                            new Clipping.None()));
            assertArrayEquals(natural, rows, 1e-6);
            if (damping > 1) {
                assertArrayEquals(plain, rows, 1e-4);
            }
        }
    }

    /** One sample and one draw: (D - u (u D) / (damping + |u|^2)) / damping for the u of the label that was drawn. */
    @Test
    void oneDrawOfOneSample() {
        double[] x = {0.5, -1, 2}, y = {1};
        double damping = 0.3;
        Supplier<Layer> models = () -> new Linear(3, 4);
        double[] made = step(
                models,
                new CrossEntropy(),
                1,
                x,
                y,
                (d, model) -> new SampledFisher(
                        d,
                        List.of(new ParameterGroup(model.parameters(), 1, 0)),
                        new SampledFisher.Config(new LabelSource.MonteCarlo(1), 1, damping, 0),
                        new Clipping.None()));
        try (Device exact = Device.open("reference")) {
            Layer model = models.get();
            model.initialize(exact, 5);
            Type input = new Type(DType.F32, io.kingfisher.runtime.Shape.of(1, 3)),
                    target = new Type(DType.I32, io.kingfisher.runtime.Shape.of(1));
            try (DenseModel dense = new DenseModel(exact, model, new CrossEntropy(), input, target)) {
                double[] gradient = dense.at(x, y).gradient();
                double best = Double.POSITIVE_INFINITY;
                for (int label = 0; label < 4; label++) {
                    double[] u = dense.at(x, new double[] {label}).gradient();
                    double share = DenseMatrix.dot(u, gradient) / (damping + DenseMatrix.dot(u, u));
                    double worst = 0;
                    for (int i = 0; i < u.length; i++) {
                        worst = Math.max(worst, Math.abs((gradient[i] - share * u[i]) / damping - made[i]));
                    }
                    best = Math.min(best, worst);
                }
                assertEquals(0, best, 2e-6);
            }
        }
    }

    /** The indicator of any direction, against the dense reference, whatever its length and sign. */
    @ParameterizedTest
    @EnumSource(names = {"MLP", "DEPTHWISE", "TIED"})
    void gammaIsThatOfTheDenseReference(TestNet.Kind kind) {
        try (TestNet net = TestNet.of(kind, 6)) {
            net.compile(Makers.SGD.make(net, net.group(0, 0), new Clipping.None()), false);
            try (Twin twin = Twin.of(net, kind, 6)) {
                DenseCurvature c = twin.step();
                Graph graph = new Graph();
                Recording r = Recording.train(graph);
                Value
                        x =
                                graph.input(
                                        "x",
                                        net.input("x").dtype(),
                                        net.input("x").shape().toArray()),
                        y =
                                graph.input(
                                        "y",
                                        net.input("y").dtype(),
                                        net.input("y").shape().toArray());
                Gradients gradients =
                        r.gradients(new CrossEntropy().apply(r, net.model().apply(r, x), y));
                Value all = graph.input("d", DType.F32, c.parameters());
                graph.output("gamma", Gamma.of(gradients, p -> {
                    long at = 0;
                    for (Parameter q : net.model().parameters()) {
                        if (q == p) {
                            break;
                        }
                        at += q.shape().elements();
                    }
                    return all.slice(0, at, at + p.shape().elements()).reshape(p.shape());
                }));
                try (Program program = net.device().compile(graph)) {
                    program.input("x").write(net.input("x").doubles());
                    program.input("y").write(net.input("y").doubles());
                    for (double[] d :
                            List.of(c.gradient(), c.step(c.fisher(), 0.05), gram(c, 0.1, c.squaredResiduals()))) {
                        double expected = c.gamma(d);
                        for (double scale : new double[] {1, -7}) {
                            program.input("d")
                                    .write(Arrays.stream(d).map(v -> v * scale).toArray());
                            program.replay();
                            assertEquals(expected, program.output("gamma").item(), 1e-4 * expected);
                        }
                    }
                }
            }
        }
    }

    /** Texts are samples: the matrix of all their tokens' outputs. */
    @Test
    void textsHaveManyOutputs() {
        try (TestNet net = TestNet.of(TestNet.Kind.TIED, 2)) {
            net.compile(SampleMakers.NATURAL.make(net, net.group(1, 0), new Clipping.None()), false);
            try (Twin twin = Twin.of(net, TestNet.Kind.TIED, 2)) {
                double[] before = flat(net.model());
                DenseCurvature c = twin.step();
                double[] after = flat(net.model()), expected = c.step(c.fisher(), 0.05);
                for (int i = 0; i < after.length; i++) {
                    assertEquals(expected[i], before[i] - after[i], 1e-4);
                }
            }
        }
    }

    /** A batch in parts of unequal size makes the step of the whole. */
    @ParameterizedTest
    @EnumSource(names = {"MLP", "DEPTHWISE", "SHARED", "TIED"})
    void partsEqualTheWhole(TestNet.Kind kind) {
        List<Maker> makers = new ArrayList<>(List.of(SampleMakers.EF, SampleMakers.IMPROVED, SampleMakers.SMW));
        if (kind == TestNet.Kind.MLP) {
            makers.add(SampleMakers.NATURAL);
            makers.add(SampleMakers.GAUSS_NEWTON);
            makers.add(SampleMakers.MFAC);
        }
        for (Maker maker : makers) {
            List<double[]> results = new ArrayList<>();
            for (int parts : new int[] {1, 4}) {
                try (TestNet net = TestNet.of(kind, 2, TestNet.BATCH, parts)) {
                    net.compile(maker.make(net, net.group(0.1, 0), new Clipping.None()), false);
                    net.step();
                    net.step();
                    results.add(flat(net.model()));
                }
            }
            assertArrayEquals(results.get(0), results.get(1), 2e-5, maker.name());
        }
    }

    /** Samples that come twice have no solution for 1 each; they count once. */
    @Test
    void duplicatesCountOnce() {
        double[] x = {1, 2, -1, 0.5, 1, 2, 0.3, -0.7}, y = {0, 1, 0, 2};
        Supplier<Layer> models = () -> new Linear(2, 3);
        double[] once = step(
                models,
                new CrossEntropy(),
                3,
                new double[] {1, 2, -1, 0.5, 0.3, -0.7},
                new double[] {0, 1, 2},
                (d, model) -> fisher(d, model, EmpiricalFisher.Target.ONE, 1e-9));
        double[] twice = step(
                models,
                new CrossEntropy(),
                4,
                x,
                y,
                (d, model) -> new EmpiricalFisher(
                        d,
                        List.of(new ParameterGroup(model.parameters(), 1, 0)),
                        new EmpiricalFisher.Config(EmpiricalFisher.Target.ONE, 1e-9, 0.999, 0),
                        new Clipping.None()));
        assertArrayEquals(once, twice, 1e-5);
        // Without leaving any out, the damping decides: here it makes the same of the sum of both.
        double[] damped = step(
                models, new CrossEntropy(), 4, x, y, (d, model) -> fisher(d, model, EmpiricalFisher.Target.ONE, 0));
        assertArrayEquals(once, damped, 1e-2);
    }

    /** A label that does not count has no gradient and takes no part. */
    @Test
    void ignoredSamplesTakeNoPart() {
        double[] x = {1, 2, -1, 0.5, 9, 9};
        Supplier<Layer> models = () -> new Linear(2, 3);
        for (EmpiricalFisher.Target target : EmpiricalFisher.Target.values()) {
            double[] two = step(
                    models,
                    new CrossEntropy(),
                    2,
                    Arrays.copyOf(x, 4),
                    new double[] {0, 1},
                    (d, model) -> fisher(d, model, target, 1e-9));
            double[] three = step(
                    models,
                    new CrossEntropy(),
                    3,
                    x,
                    new double[] {0, 1, -100},
                    (d, model) -> fisher(d, model, target, 1e-9));
            assertArrayEquals(two, three, 1e-5);
        }
    }

    @Test
    void stepsWithoutSolutionAreReported() {
        for (Maker maker : SampleMakers.all()) {
            try (TestNet net = TestNet.of(TestNet.Kind.MLP, 1)) {
                Optimizer optimizer = maker.make(net);
                net.compile(optimizer, false);
                net.step();
                assertTrue(optimizer.reports().isEmpty());
                double[] before = flat(net.model());
                net.model().parameters().get(0).tensor().set(0, Double.NaN);
                before[0] = Double.NaN;
                net.step();
                assertArrayEquals(before, flat(net.model()));
                String report = optimizer.reports().get(0);
                assertTrue(report.startsWith("1 steps changed nothing"), report);
                assertTrue(optimizer.reports().isEmpty());
            }
        }
    }

    @Test
    void refusesWhatIsTooLargeOrNoNumber() {
        try (Device device = Device.open("cpu", new DeviceOptions(1))) {
            Layer model = new Linear(2, 2);
            model.initialize(device, 1);
            Graph graph = new Graph();
            Recording r = Recording.train(graph);
            Value x = graph.input("x", DType.F32, 9000, 2), y = graph.input("y", DType.I32, 9000);
            Gradients gradients = r.gradients(new CrossEntropy().apply(r, model.apply(r, x), y));
            Optimizer optimizer = fisher(device, model, EmpiricalFisher.Target.ONE, 0);
            String message = assertThrows(
                            KingfisherException.class, () -> optimizer.record(gradients, Optimizer.Cadence.STEP))
                    .getMessage();
            assertTrue(message.contains("here 9000, of at most 8192; use a smaller batch"), message);
        }
        EmpiricalFisher.Target one = EmpiricalFisher.Target.ONE;
        assertThrows(KingfisherException.class, () -> new EmpiricalFisher.Config(one, -1, 1, 0));
        assertThrows(KingfisherException.class, () -> new EmpiricalFisher.Config(one, 0, 0, 0));
        assertThrows(KingfisherException.class, () -> new NaturalGradient.Config(Double.NaN, 0));
        assertThrows(KingfisherException.class, () -> new SampledFisher.Config(new LabelSource.Empirical(), 0, 1, 0));
        assertThrows(KingfisherException.class, () -> new SampledFisher.Config(new LabelSource.Empirical(), 1, 0, 0));
        assertThrows(KingfisherException.class, () -> new Mfac.Config(0, 1, 0));
        assertThrows(KingfisherException.class, () -> new Mfac.Config(4, 1, 1));
    }
}
