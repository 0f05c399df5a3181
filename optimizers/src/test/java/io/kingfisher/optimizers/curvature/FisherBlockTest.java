package io.kingfisher.optimizers.curvature;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Activation;
import io.kingfisher.layers.BatchNorm2d;
import io.kingfisher.layers.BinaryCrossEntropy;
import io.kingfisher.layers.Conv2d;
import io.kingfisher.layers.CrossEntropy;
import io.kingfisher.layers.Embedding;
import io.kingfisher.layers.Flatten;
import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.LayerNorm;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.Loss;
import io.kingfisher.layers.LossValue;
import io.kingfisher.layers.MeanSquaredError;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Sequential;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Kronecker factors where their product is the exact Fisher block, which Gauss-Newton-vector products give column by column. */
class FisherBlockTest {
    private final Device device = Device.open("reference", new DeviceOptions(1));
    private final Random random = new Random(3);

    @AfterEach
    void close() {
        device.close();
    }

    enum Losses {
        CROSS_ENTROPY(new CrossEntropy(0.1, -100)),
        SQUARED(new MeanSquaredError()),
        LOGITS(new BinaryCrossEntropy(true)),
        SUMMED_LOGITS(new BinaryCrossEntropy(true, true));

        private final Loss loss;

        Losses(Loss loss) {
            this.loss = loss;
        }
    }

    /** With one sample and one place, a a^T (x) E[g g^T] is the whole block. */
    @ParameterizedTest
    @EnumSource
    void productOfFactorsIsTheBlockOfOneSample(Losses loss) {
        Layer model = new Sequential(
                new Linear(4, 3), Activation.tanh(), new Linear(3, 5, false), Activation.tanh(), new Linear(5, 3));
        exact(model, loss, Shape.of(1, 4), 1e-6);
    }

    /** As a convolution that sees everything at once is a linear layer; groups have blocks of their own. */
    @Test
    void productOfFactorsIsTheBlockOfAConvolutionWithOnePlace() {
        Layer model = new Sequential(
                new Conv2d(4, 6, 2, 3, new Convolution(1, 1, 0, 1, 1, 2, 2), true),
                Activation.tanh(),
                new Flatten(),
                new Linear(6, 3));
        exact(model, Losses.CROSS_ENTROPY, Shape.of(1, 4, 2, 3), 1e-6);
    }

    private void exact(Layer model, Losses loss, Shape input, double tolerance) {
        model.initialize(device, 5);
        Graph graph = new Graph();
        Recording r = Recording.train(graph);
        Value x = graph.input("x", new Type(DType.F32, input));
        Value prediction = model.apply(r, x);
        Value y = loss == Losses.CROSS_ENTROPY
                ? graph.input("y", DType.I32, input.dim(0))
                : graph.input("y", prediction.type());
        LossValue value = loss.loss.apply(r, prediction, y);
        Gradients gradients = r.gradients(value);
        List<LabelSource.Draw> draws = new LabelSource.Exact().draws(gradients);
        List<LayerMatrix> layers = LayerMatrix.of(gradients);
        for (LayerMatrix layer : layers) {
            Moments.Pair factors = Moments.of(layer, gradients, draws);
            graph.output("A." + layer.path(), factors.inputs());
            graph.output("G." + layer.path(), factors.outputs());
            for (int column = 0; column < layer.groups() * layer.outputs() * layer.inputs(); column++) {
                graph.output("F." + layer.path() + column, column(r, value, prediction, layer, column));
            }
        }
        try (Program program = device.compile(graph)) {
            fill(program.input("x"), program.input("y"), loss);
            program.replay();
            for (LayerMatrix layer : layers) {
                compare(layer, program, tolerance);
            }
        }
        model.close();
    }

    /** F e_column, the layer's elements in the order of its matrices. */
    private Value column(Recording r, LossValue loss, Value prediction, LayerMatrix layer, int column) {
        Graph graph = r.graph();
        double[] unit = new double[(int) (layer.groups() * layer.outputs() * layer.inputs())];
        unit[column] = 1;
        Value e = graph.constant(DType.F32, Shape.of(layer.groups(), layer.outputs(), layer.inputs()), unit);
        List<Parameter> parameters = layer.parameters();
        List<Value> with = parameters.stream().map(r::value).toList();
        List<Value> vector = parameters.stream().map(layer.parts(e)::get).toList();
        List<Value> product = Autodiff.gaussNewtonVectorProduct(loss.mean(), List.of(prediction), with, vector);
        return layer.matrix(p -> product.get(parameters.indexOf(p)));
    }

    private void fill(Tensor x, Tensor y, Losses loss) {
        for (long i = 0; i < x.elements(); i++) {
            x.set(i, random.nextGaussian());
        }
        for (long i = 0; i < y.elements(); i++) {
            y.set(i, loss == Losses.CROSS_ENTROPY ? random.nextInt(3) : random.nextInt(2));
        }
    }

    private static void compare(LayerMatrix layer, Program program, double tolerance) {
        double[] a = program.output("A." + layer.path()).doubles(),
                g = program.output("G." + layer.path()).doubles();
        int o = (int) layer.outputs(), n = (int) layer.inputs(), block = o * n;
        double largest = 0;
        for (int column = 0; column < layer.groups() * block; column++) {
            for (double f : program.output("F." + layer.path() + column).doubles()) {
                largest = Math.max(largest, Math.abs(f));
            }
        }
        assertTrue(largest > 0, layer.path());
        for (int column = 0; column < layer.groups() * block; column++) {
            double[] f = program.output("F." + layer.path() + column).doubles();
            int group = column / block, oc = column % block / n, ic = column % n;
            for (int k = 0; k < block; k++) {
                int or = k / n, ir = k % n;
                double product = a[group * n * n + ir * n + ic] * g[group * o * o + or * o + oc];
                assertEquals(f[group * block + k], product, tolerance * largest, layer.path() + " " + column + " " + k);
            }
        }
    }

    /** The blocks of norm layers are exact for any batch; a layer norm's with one row for each sample. */
    @Test
    void normBlocksAreExact() {
        Layer model = new Sequential(
                new Conv2d(2, 3, 3, 1, 1),
                new BatchNorm2d(3),
                Activation.tanh(),
                new Flatten(),
                new LayerNorm(36),
                new Linear(36, 3));
        model.initialize(device, 5);
        Graph graph = new Graph();
        Recording r = Recording.train(graph);
        Value x = graph.input("x", DType.F32, 4, 2, 3, 4), y = graph.input("y", DType.I32, 4);
        Value prediction = model.apply(r, x);
        LossValue loss = new CrossEntropy().apply(r, prediction, y);
        Gradients gradients = r.gradients(loss);
        List<LabelSource.Draw> draws = new LabelSource.Exact().draws(gradients);
        List<LayerMatrix> norms = LayerMatrix.of(gradients).stream()
                .filter(layer -> layer.kind() == LayerMatrix.Kind.NORM)
                .toList();
        assertEquals(2, norms.size());
        for (LayerMatrix layer : norms) {
            graph.output("F." + layer.path(), Moments.norm(layer, gradients, draws));
            for (int column = 0; column < 2 * layer.groups(); column++) {
                graph.output("c" + column + layer.path(), column(r, loss, prediction, layer, column));
            }
        }
        try (Program program = device.compile(graph)) {
            fill(program.input("x"), program.input("y"), Losses.CROSS_ENTROPY);
            program.replay();
            for (LayerMatrix layer : norms) {
                double[] blocks = program.output("F." + layer.path()).doubles();
                for (int column = 0; column < 2 * layer.groups(); column++) {
                    double[] f = program.output("c" + column + layer.path()).doubles();
                    int channel = column / 2;
                    for (int k = 0; k < 2; k++) {
                        assertEquals(
                                f[channel * 2 + k],
                                blocks[channel * 4 + k * 2 + column % 2],
                                1e-7,
                                layer.path() + column);
                    }
                }
            }
        }
        model.close();
    }

    /** An embedding's inputs are one-hot: its block for one token is the token's row. */
    @Test
    void embeddingBlockOfOneToken() {
        Layer model = new Sequential(new Embedding(4, 3), new Flatten(), new Linear(3, 3));
        model.initialize(device, 5);
        Graph graph = new Graph();
        Recording r = Recording.train(graph);
        Value prediction = model.apply(r, graph.input("x", DType.I32, 1, 1));
        LossValue loss = new CrossEntropy().apply(r, prediction, graph.input("y", DType.I32, 1));
        Gradients gradients = r.gradients(loss);
        LayerMatrix table = LayerMatrix.of(gradients).get(0);
        Moments.Pair factors = Moments.of(table, gradients, new LabelSource.Exact().draws(gradients));
        graph.output("A", factors.inputs());
        graph.output("G", factors.outputs());
        List<Integer> columns = new ArrayList<>();
        for (int column = 0; column < 12; column++) {
            graph.output("F" + column, column(r, loss, prediction, table, column));
            columns.add(column);
        }
        try (Program program = device.compile(graph)) {
            program.input("x").set(0, 2);
            program.input("y").set(0, 1);
            program.replay();
            double[] a = program.output("A").doubles(), g = program.output("G").doubles();
            for (int column : columns) {
                double[] f = program.output("F" + column).doubles();
                for (int k = 0; k < 12; k++) {
                    double product = k % 4 == column % 4 ? a[k % 4] * g[k / 4 * 3 + column / 4] : 0;
                    assertEquals(f[k], product, 1e-8);
                }
            }
        }
        model.close();
    }

    private static Value outputs(LayerMatrix layer, Gradients gradients, LabelSource labels) {
        return Moments.of(layer, gradients, labels.draws(gradients)).outputs();
    }

    /** Draws have the mean of the exact factor, within 4 standard errors; curvature propagation with less variance. */
    @ParameterizedTest
    @ValueSource(strings = {"CROSS_ENTROPY", "SQUARED", "LOGITS"})
    void drawsAreUnbiased(String name) {
        Losses loss = Losses.valueOf(name);
        Layer model = new Sequential(new Linear(4, 3), Activation.tanh(), new Linear(3, 3));
        model.initialize(device, 5);
        Graph graph = new Graph();
        Tensor state = device.allocate(DType.I32, Shape.of(4));
        Recording r = Recording.train(graph, state);
        Value prediction = model.apply(r, graph.input("x", DType.F32, 5, 4));
        Value y = loss == Losses.CROSS_ENTROPY ? graph.input("y", DType.I32, 5) : graph.input("y", prediction.type());
        Gradients gradients = r.gradients(loss.loss.apply(r, prediction, y));
        LayerMatrix first = LayerMatrix.of(gradients).get(0);
        graph.output("exact", outputs(first, gradients, new LabelSource.Exact()));
        graph.output("MC", outputs(first, gradients, new LabelSource.MonteCarlo(1)));
        graph.output("CP", outputs(first, gradients, new LabelSource.CurvatureProp(1)));
        try (Program program = device.compile(graph)) {
            fill(program.input("x"), program.input("y"), loss);
            int draws = 2000;
            double[][] sums = new double[2][9], squares = new double[2][9];
            for (int t = 0; t < draws; t++) {
                state.set(2, t);
                program.replay();
                for (int kind = 0; kind < 2; kind++) {
                    double[] g = program.output(kind == 0 ? "MC" : "CP").doubles();
                    for (int i = 0; i < 9; i++) {
                        sums[kind][i] += g[i] / draws;
                        squares[kind][i] += g[i] * g[i] / draws;
                    }
                }
            }
            double[] exact = program.output("exact").doubles();
            for (int kind = 0; kind < 2; kind++) {
                for (int i = 0; i < 9; i++) {
                    double error = Math.sqrt((squares[kind][i] - sums[kind][i] * sums[kind][i]) / draws);
                    assertEquals(exact[i], sums[kind][i], 4 * error + 1e-9, name + " " + kind + " " + i);
                }
            }
        }
        state.close();
        model.close();
    }
}
