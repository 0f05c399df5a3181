package io.kingfisher.optimizers;

import io.kingfisher.layers.Activation;
import io.kingfisher.layers.BatchNorm2d;
import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Conv2d;
import io.kingfisher.layers.CrossEntropy;
import io.kingfisher.layers.Embedding;
import io.kingfisher.layers.Flatten;
import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.LayerNorm;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.LossValue;
import io.kingfisher.layers.MultiHeadAttention;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Residual;
import io.kingfisher.layers.Sequential;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A small net on the CPU device whose programs also hand out gradients and captures. */
final class TestNet implements AutoCloseable {
    enum Kind {
        MLP,
        CONV,
        TRANSFORMER
    }

    private static final int BATCH = 6;
    private static final int CLASSES = 5;
    private static final int TOKENS = 7;

    private final Device device = Device.open("reference");
    private final Kind kind;
    private final Layer model;
    private final Random random;
    private Optimizer optimizer;
    private final Map<Optimizer.Cadence, Program> programs = new LinkedHashMap<>();
    private List<Capture> captures = List.of();
    private Program last;

    private TestNet(Kind kind, long seed) {
        this.kind = kind;
        this.random = new Random(seed);
        model = switch (kind) {
            case MLP -> new Sequential(new Linear(11, 9), Activation.tanh(), new Linear(9, CLASSES, false));
            case CONV ->
                new Sequential(
                        new Conv2d(2, 4, 3, 1, 1),
                        new BatchNorm2d(4),
                        Activation.relu(),
                        new Conv2d(4, 6, 3, 2, Convolution.of(2, 1, 2, 2), true),
                        Activation.relu(),
                        new Flatten(),
                        new Linear(6 * 2 * 4, CLASSES));
            case TRANSFORMER ->
                new Sequential(
                        new Embedding(CLASSES, 8),
                        new Residual(new Sequential(new LayerNorm(8), new MultiHeadAttention(8, 2, true))),
                        new Residual(new Sequential(
                                new LayerNorm(8), new Linear(8, 12), Activation.gelu(), new Linear(12, 8))),
                        new LayerNorm(8),
                        new Linear(8, CLASSES));
        };
        model.initialize(device, seed);
    }

    static TestNet of(Kind kind, long seed) {
        return new TestNet(kind, seed);
    }

    Device device() {
        return device;
    }

    Layer model() {
        return model;
    }

    List<ParameterGroup> group(double rate, double decay) {
        return List.of(new ParameterGroup(model.parameters(), rate, decay));
    }

    /** Compiles both cadences of the training step; {@code watched} ones hand out what they saw. */
    void compile(Optimizer optimizer, boolean watched) {
        this.optimizer = optimizer;
        programs.put(Optimizer.Cadence.STEP, program(Optimizer.Cadence.STEP, watched));
        if (optimizer.hasRefresh()) {
            programs.put(Optimizer.Cadence.REFRESH, program(Optimizer.Cadence.REFRESH, watched));
        }
    }

    private Program program(Optimizer.Cadence cadence, boolean watched) {
        Graph graph = new Graph();
        Value x = switch (kind) {
            case MLP -> graph.input("x", DType.F32, BATCH, 11);
            case CONV -> graph.input("x", DType.F32, BATCH, 2, 6, 7);
            case TRANSFORMER -> graph.input("x", DType.I32, BATCH, TOKENS);
        };
        Value y = kind == Kind.TRANSFORMER
                ? graph.input("y", DType.I32, BATCH, TOKENS)
                : graph.input("y", DType.I32, BATCH);
        Recording r = Recording.train(graph);
        LossValue loss = new CrossEntropy().apply(r, model.apply(r, x), y);
        Gradients gradients = r.gradients(loss);
        captures = gradients.captures();
        graph.output("loss", loss.mean());
        if (watched) {
            model.parameters().forEach(p -> graph.output("g." + p.path(), gradients.of(p)));
            for (int i = 0; i < captures.size(); i++) {
                graph.output("a" + i, captures.get(i).a());
                graph.output("ds" + i, gradients.of(captures.get(i)));
            }
        }
        optimizer.record(gradients, cadence);
        return device.compile(graph);
    }

    /** One step on fresh data, a function of the seed and the number of the step. */
    Optimizer.Cadence step(int t) {
        Optimizer.Cadence cadence = optimizer.advance();
        last = programs.get(cadence);
        long elements = last.input("x").elements();
        for (int i = 0; i < elements; i++) {
            last.input("x").set(i, kind == Kind.TRANSFORMER ? random.nextInt(CLASSES) : random.nextGaussian());
        }
        for (int i = 0; i < last.input("y").elements(); i++) {
            double signal = last.input("x").get(i % elements);
            last.input("y").set(i, kind == Kind.TRANSFORMER ? (signal + 1) % CLASSES : signal > 0 ? 1 : 2);
        }
        last.replay();
        return cadence;
    }

    double loss() {
        return last.output("loss").item();
    }

    double[] gradient(Parameter parameter) {
        return last.output("g." + parameter.path()).doubles();
    }

    List<Capture> captures() {
        return captures;
    }

    double[] input(Capture capture) {
        return last.output("a" + captures.indexOf(capture)).doubles();
    }

    double[] outputGradient(Capture capture) {
        return last.output("ds" + captures.indexOf(capture)).doubles();
    }

    /** The number of terms that the loss is the mean of. */
    double count() {
        return kind == Kind.TRANSFORMER ? BATCH * TOKENS : BATCH;
    }

    /** Copies of all parameters. */
    Map<Parameter, double[]> parameters() {
        Map<Parameter, double[]> result = new LinkedHashMap<>();
        model.parameters().forEach(p -> result.put(p, p.tensor().doubles()));
        return result;
    }

    /** All bits of the parameters and buffers. */
    List<double[]> bits() {
        List<double[]> result = new ArrayList<>();
        model.variables().forEach(v -> result.add(v.tensor().doubles()));
        return result;
    }

    @Override
    public void close() {
        device.close();
    }
}
