package io.kingfisher.optimizers.curvature;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Activation;
import io.kingfisher.layers.AvgPool2d;
import io.kingfisher.layers.BatchNorm2d;
import io.kingfisher.layers.Conv2d;
import io.kingfisher.layers.CrossEntropy;
import io.kingfisher.layers.Embedding;
import io.kingfisher.layers.Flatten;
import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.LayerNorm;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.MultiHeadAttention;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Residual;
import io.kingfisher.layers.Sequential;
import io.kingfisher.layers.TiedLinear;
import io.kingfisher.optimizers.exact.DenseCurvature;
import io.kingfisher.optimizers.exact.DenseModel;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Products with the Jacobian of samples against its rows, and those against the dense reference. */
class SampleJacobianTest {
    private static final int BATCH = 4, CLASSES = 5, TOKENS = 3;

    enum Net {
        MLP,
        /** Few places for many channels, so that pairs of places are used, and the reverse; groups, strides, dilation. */
        CONV,
        /** A layer and a norm that are applied twice. */
        SHARED,
        TRANSFORMER,
        TIED,
        /** Samples see each other: only the products can be compared. */
        BATCH_NORM;

        boolean text() {
            return this == TRANSFORMER || this == TIED;
        }

        Layer model() {
            return switch (this) {
                case MLP -> new Sequential(new Linear(7, 6), Activation.tanh(), new Linear(6, CLASSES, false));
                case CONV ->
                    new Sequential(
                            new Conv2d(2, 4, 3, 1, 1),
                            Activation.tanh(),
                            new Conv2d(4, 6, 3, 2, Convolution.of(2, 1, 2, 2), true),
                            Activation.tanh(),
                            new AvgPool2d(2),
                            new Conv2d(6, 8, 1, 2, Convolution.of(1, 0, 1, 2), false),
                            new Flatten(),
                            new Linear(8, CLASSES));
                case SHARED -> {
                    Linear shared = new Linear(6, 6);
                    LayerNorm norm = new LayerNorm(6);
                    yield new Sequential(
                            new Linear(7, 6), norm, shared, Activation.tanh(), norm, shared, new Linear(6, CLASSES));
                }
                case TRANSFORMER ->
                    new Sequential(
                            new Embedding(CLASSES, 4),
                            new Residual(new Sequential(new LayerNorm(4), new MultiHeadAttention(4, 2, true))),
                            new Linear(4, CLASSES));
                case TIED -> {
                    Embedding table = new Embedding(CLASSES, 4);
                    yield new Sequential(
                            table,
                            new Residual(new Sequential(new LayerNorm(4), new MultiHeadAttention(4, 2, true))),
                            new TiedLinear(table));
                }
                case BATCH_NORM ->
                    new Sequential(
                            new Conv2d(2, 3, 3, 1, 1),
                            new BatchNorm2d(3),
                            Activation.relu(),
                            new Flatten(),
                            new Linear(3 * 4 * 5, CLASSES));
            };
        }

        Type input() {
            return switch (this) {
                case MLP, SHARED -> new Type(DType.F32, Shape.of(BATCH, 7));
                case CONV -> new Type(DType.F32, Shape.of(BATCH, 2, 5, 7));
                case BATCH_NORM -> new Type(DType.F32, Shape.of(BATCH, 2, 4, 5));
                case TRANSFORMER, TIED -> new Type(DType.I32, Shape.of(BATCH, TOKENS));
            };
        }

        Type target() {
            return new Type(DType.I32, text() ? Shape.of(BATCH, TOKENS) : Shape.of(BATCH));
        }
    }

    /** One recording with products by vectors that the host gives. */
    private static final class Products implements AutoCloseable {
        final Device device = Device.open("cpu", new DeviceOptions(1));
        final Layer model;
        final Program program;
        final SampleJacobian jacobian;
        final double[] x, y;
        final int rows, columns;

        Products(Net net, LabelSource labels, Sharing sharing, long first, java.util.function.Consumer<Layer> change) {
            model = net.model();
            model.initialize(device, 11);
            change.accept(model);
            Random random = new Random(4);
            x = random.doubles(net.input().shape().elements(), -2, 2)
                    .map(v -> net.text() ? Math.floor(v + 2) : v)
                    .toArray();
            y = random.ints(net.target().shape().elements(), 0, CLASSES)
                    .asDoubleStream()
                    .toArray();
            Graph graph = new Graph();
            Recording r = Recording.train(graph, device.allocate(DType.I32, Shape.of(4)));
            Value in = graph.input("x", net.input()), out = graph.input("y", net.target());
            Gradients gradients = r.gradients(new CrossEntropy().apply(r, model.apply(r, in), out));
            jacobian = SampleJacobian.of(gradients, labels.draws(gradients), sharing, first);
            rows = (int) jacobian.rows();
            graph.output("gram", jacobian.gram());
            graph.output("norms", jacobian.squaredNorms());
            Map<Parameter, Value> pulled = jacobian.transposed(graph.input("u", DType.F32, rows));
            List<Value> flat = new ArrayList<>(), gradient = new ArrayList<>();
            for (Parameter p : jacobian.parameters()) {
                assertEquals(p.shape(), pulled.get(p).shape(), p.path());
                flat.add(pulled.get(p).reshape(p.shape().elements()));
                gradient.add(gradients.of(p).reshape(p.shape().elements()));
            }
            graph.output("pulled", graph.concat(0, flat));
            graph.output("gradient", graph.concat(0, gradient));
            columns = (int) flat.stream().mapToLong(v -> v.dim(0)).sum();
            Value v = graph.input("v", DType.F32, columns);
            graph.output("pushed", jacobian.times(p -> {
                long at = 0;
                for (Parameter q :
                        jacobian.parameters().subList(0, jacobian.parameters().indexOf(p))) {
                    at += q.shape().elements();
                }
                return v.slice(0, at, at + p.shape().elements()).reshape(p.shape());
            }));
            program = device.compile(graph);
            program.input("x").write(x);
            program.input("y").write(y);
        }

        double[][] matrix() {
            double[][] result = new double[rows][];
            double[] unit = new double[rows];
            for (int i = 0; i < rows; i++) {
                unit[i] = 1;
                program.input("u").write(unit);
                program.replay();
                result[i] = program.output("pulled").doubles();
                unit[i] = 0;
            }
            return result;
        }

        @Override
        public void close() {
            device.close();
        }
    }

    private static double[][] check(Products products) {
        double[][] j = products.matrix();
        double[] v = new Random(6).doubles(products.columns, -1, 1).toArray();
        products.program.input("v").write(v);
        products.program.replay();
        double[] gram = products.program.output("gram").doubles(),
                norms = products.program.output("norms").doubles(),
                pushed = products.program.output("pushed").doubles();
        double size = 0;
        for (double[] row : j) {
            size = Math.max(size, dot(row, row));
        }
        assertTrue(size > 1e-3);
        for (int i = 0; i < j.length; i++) {
            for (int k = 0; k < j.length; k++) {
                assertEquals(dot(j[i], j[k]), gram[i * j.length + k], 1e-5 * size, "K[" + i + ", " + k + "]");
            }
            assertEquals(dot(j[i], j[i]), norms[i], 1e-5 * size);
            assertEquals(dot(j[i], v), pushed[i], 1e-5 * Math.sqrt(size * products.columns));
        }
        return j;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    @ParameterizedTest
    @EnumSource(Net.class)
    void productsAreThoseOfTheRows(Net net) {
        for (Sharing sharing : List.of(Sharing.EXACT_PER_SAMPLE, Sharing.REDUCE)) {
            try (Products products = new Products(net, new LabelSource.Empirical(), sharing, Long.MAX_VALUE, _ -> {})) {
                double[][] j = check(products);
                if (sharing == Sharing.EXACT_PER_SAMPLE) {
                    double[] gradient = products.program.output("gradient").doubles();
                    double terms = net.text() ? BATCH * TOKENS : BATCH;
                    for (int p = 0; p < gradient.length; p++) {
                        double sum = 0;
                        for (double[] row : j) {
                            sum += row[p] / terms;
                        }
                        assertEquals(gradient[p], sum, 1e-5);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "BATCH_NORM")
    void rowsAreSamplesGradients(Net net) {
        try (Products products = new Products(
                        net, new LabelSource.Empirical(), Sharing.EXACT_PER_SAMPLE, Long.MAX_VALUE, _ -> {});
                Device exact = Device.open("reference")) {
            Layer model = net.model();
            model.initialize(exact, 11);
            try (DenseModel dense = new DenseModel(exact, model, new CrossEntropy(), net.input(), net.target())) {
                DenseCurvature curvature = dense.at(products.x, products.y);
                double[][] expected = curvature.sampleGradients(), j = products.matrix();
                assertEquals(BATCH, expected.length);
                List<String> order = products.jacobian.parameters().stream()
                        .map(Parameter::path)
                        .toList();
                for (int i = 0; i < BATCH; i++) {
                    int at = 0;
                    for (String path : order) {
                        int from = 0;
                        for (Parameter p : dense.parameters()) {
                            int n = (int) p.shape().elements();
                            for (int e = 0; p.path().equals(path) && e < n; e++) {
                                assertEquals(expected[i][from + e], j[i][at++], 2e-5, path);
                            }
                            from += n;
                        }
                    }
                    assertEquals(products.columns, at);
                }
            }
        }
    }

    /** Several draws, of which the first samples count; sampled labels have weights. */
    @ParameterizedTest
    @EnumSource(names = {"MLP", "CONV", "TRANSFORMER", "TIED"})
    void drawsAreRowsOfTheirOwn(Net net) {
        for (LabelSource labels : List.of(new LabelSource.Exact(), new LabelSource.MonteCarlo(2))) {
            try (Products products = new Products(net, labels, Sharing.EXACT_PER_SAMPLE, 3, _ -> {})) {
                assertEquals(3, products.jacobian.samples());
                assertEquals(3 * (labels instanceof LabelSource.Exact ? CLASSES : 2), products.rows);
                check(products);
            }
        }
    }

    /** Weights or biases that are frozen have no columns. */
    @ParameterizedTest
    @EnumSource(Net.class)
    void frozenParametersHaveNoColumns(Net net) {
        for (int rank = 1; rank <= 2; rank++) {
            boolean vectors = rank == 1;
            try (Products products = new Products(
                    net,
                    new LabelSource.Empirical(),
                    Sharing.EXACT_PER_SAMPLE,
                    Long.MAX_VALUE,
                    model -> model.parameters()
                            .forEach(p -> p.trainable(vectors == (p.shape().rank() == 1))))) {
                assertTrue(products.jacobian.parameters().stream().allMatch(Parameter::trainable));
                assertTrue(products.jacobian.uncovered().isEmpty());
                check(products);
            } catch (KingfisherException e) {
                assertTrue(net == Net.MLP && e.getMessage().contains("first"), e.getMessage());
            }
        }
    }

    /** Every token a sample of its own: as many rows, whose sums over a text are the text's. */
    @ParameterizedTest
    @EnumSource(names = {"TRANSFORMER", "TIED", "MLP"})
    void everyPlaceMayBeASample(Net net) {
        try (Products each = new Products(net, new LabelSource.Empirical(), Sharing.EXPAND, Long.MAX_VALUE, _ -> {});
                Products whole = new Products(
                        net, new LabelSource.Empirical(), Sharing.EXACT_PER_SAMPLE, Long.MAX_VALUE, _ -> {})) {
            double[][] tokens = check(each), texts = whole.matrix();
            int places = net.text() ? TOKENS : 1;
            assertEquals(BATCH * places, tokens.length);
            for (int i = 0; i < BATCH; i++) {
                for (int p = 0; p < whole.columns; p++) {
                    double sum = 0;
                    for (int t = 0; t < places; t++) {
                        sum += tokens[i * places + t][p];
                    }
                    assertEquals(texts[i][p], sum, 1e-5);
                }
            }
        }
    }

    @Test
    void refusesWhatKeepsNoSamplesApart() {
        String message = assertThrows(
                        KingfisherException.class,
                        () -> new Products(
                                        Net.CONV, new LabelSource.Empirical(), Sharing.EXPAND, Long.MAX_VALUE, _ -> {})
                                .close())
                .getMessage();
        assertTrue(message.contains("EXACT_PER_SAMPLE"), message);
        try (Device device = Device.open("cpu", new DeviceOptions(1))) {
            Layer model = new Sequential(new Linear(4, 4), new Flatten(), new Linear(12, CLASSES));
            model.initialize(device, 1);
            Embedding lonely = new Embedding(3, 4);
            lonely.initialize(device, 1);
            Graph graph = new Graph();
            Recording r = Recording.train(graph);
            Value x = graph.input("x", DType.F32, BATCH, 3, 4), y = graph.input("y", DType.I32, BATCH);
            Value shifted = x.add(lonely.apply(r, graph.iota(DType.I32, 3)));
            Gradients gradients = r.gradients(new CrossEntropy().apply(r, model.apply(r, shifted), y));
            String refused = assertThrows(
                            KingfisherException.class,
                            () -> SampleJacobian.of(gradients, new LabelSource.Empirical().draws(gradients)))
                    .getMessage();
            assertTrue(refused.contains("cannot be told apart"), refused);
        }
    }
}
