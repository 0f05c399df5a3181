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
import io.kingfisher.layers.TiedLinear;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A small net, on the CPU device unless said otherwise, whose programs also hand out gradients and captures. */
final class TestNet implements AutoCloseable {
    enum Kind {
        MLP,
        /** Batch norm, and a grouped, dilated, strided convolution. */
        CONV,
        TRANSFORMER,
        /** A convolution of a group for each channel with bias, and one without. */
        DEPTHWISE,
        /** A linear layer and a layer norm that are applied twice. */
        SHARED,
        /** The table of the embedding also makes the logits. */
        TIED;

        boolean text() {
            return this == TRANSFORMER || this == TIED;
        }
    }

    static final int BATCH = 6;
    private static final int CLASSES = 5;
    private static final int TOKENS = 7;

    private final Device device;
    private final Kind kind;
    private final Layer model;
    private final Random random;
    private final Tensor randomState;
    private final int batch;
    private final int parts;
    private Optimizer optimizer;
    private final Map<Optimizer.Cadence, Program> programs = new LinkedHashMap<>();
    private final Map<Optimizer.Cadence, Graph> graphs = new LinkedHashMap<>();
    private List<Capture> captures = List.of();
    private List<Parameter> recorded = List.of();
    private Program last;

    private TestNet(Device device, Kind kind, long seed, int batch, int parts) {
        this.device = device;
        this.kind = kind;
        this.random = new Random(seed);
        this.batch = batch;
        this.parts = parts;
        randomState = device.allocate(DType.I32, Shape.of(4));
        randomState.write((int) seed, 0, 0, 0);
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
            case DEPTHWISE ->
                new Sequential(
                        new Conv2d(4, 4, 3, 3, Convolution.of(1, 1, 1, 4), true),
                        Activation.tanh(),
                        new Conv2d(4, 8, 3, 2, Convolution.of(2, 0, 1, 4), false),
                        Activation.tanh(),
                        new Flatten(),
                        new Linear(8 * 2 * 3, CLASSES));
            case SHARED -> {
                Linear shared = new Linear(8, 8);
                LayerNorm norm = new LayerNorm(8);
                yield new Sequential(
                        new Linear(11, 8),
                        norm,
                        shared,
                        Activation.tanh(),
                        norm,
                        shared,
                        Activation.tanh(),
                        new Linear(8, CLASSES));
            }
            case TIED -> {
                Embedding table = new Embedding(CLASSES, 8);
                yield new Sequential(
                        table,
                        new Residual(new Sequential(new LayerNorm(8), new MultiHeadAttention(8, 2, true))),
                        new LayerNorm(8),
                        new TiedLinear(table));
            }
        };
        model.initialize(device, seed);
    }

    static TestNet of(Kind kind, long seed) {
        return of(kind, seed, Device.open("cpu", new DeviceOptions(1)));
    }

    /** A net on a device, which it closes. */
    static TestNet of(Kind kind, long seed, Device device) {
        return new TestNet(device, kind, seed, BATCH, 1);
    }

    /** A net whose batch is recorded in parts, the losses joined. */
    static TestNet of(Kind kind, long seed, int batch, int parts) {
        return new TestNet(Device.open("cpu", new DeviceOptions(1)), kind, seed, batch, parts);
    }

    Device device() {
        return device;
    }

    Optimizer optimizer() {
        return optimizer;
    }

    Layer model() {
        return model;
    }

    List<ParameterGroup> group(double rate, double decay) {
        return List.of(new ParameterGroup(model.parameters(), rate, decay));
    }

    /** Compiles all cadences of the training step; {@code watched} ones hand out what they saw. */
    void compile(Optimizer optimizer, boolean watched) {
        this.optimizer = optimizer;
        optimizer.cadences().forEach(cadence -> compile(cadence, watched));
    }

    private void compile(Optimizer.Cadence cadence, boolean watched) {
        Graph graph = new Graph();
        Value x = input(graph);
        Value y = kind.text() ? graph.input("y", DType.I32, batch, TOKENS) : graph.input("y", DType.I32, batch);
        Recording r = Recording.train(graph, randomState);
        List<LossValue> losses = new ArrayList<>();
        for (int i = 0; i < parts; i++) {
            int from = batch * i / parts, to = batch * (i + 1) / parts;
            losses.add(new CrossEntropy().apply(r, model.apply(r, x.slice(0, from, to)), y.slice(0, from, to)));
        }
        LossValue loss = LossValue.join(losses);
        Gradients gradients = r.gradients(loss);
        captures = gradients.captures();
        recorded = gradients.parameters();
        graph.output("loss", loss.mean());
        if (watched) {
            gradients.parameters().forEach(p -> graph.output("g." + p.path(), gradients.of(p)));
            for (int i = 0; i < captures.size(); i++) {
                graph.output("a" + i, captures.get(i).a());
                graph.output("ds" + i, gradients.of(captures.get(i)));
            }
        }
        optimizer.record(gradients, cadence);
        graphs.put(cadence, graph);
        programs.put(cadence, device.compile(graph));
    }

    private Value input(Graph graph) {
        return switch (kind) {
            case MLP, SHARED -> graph.input("x", DType.F32, batch, 11);
            case CONV -> graph.input("x", DType.F32, batch, 2, 6, 7);
            case DEPTHWISE -> graph.input("x", DType.F32, batch, 4, 5, 7);
            case TRANSFORMER, TIED -> graph.input("x", DType.I32, batch, TOKENS);
        };
    }

    Graph graph(Optimizer.Cadence cadence) {
        return graphs.get(cadence);
    }

    Program program(Optimizer.Cadence cadence) {
        return programs.get(cadence);
    }

    /** One step on fresh data, a function of the seed and the number of calls. */
    Optimizer.Cadence step() {
        Optimizer.Cadence cadence = optimizer.advance();
        last = programs.get(cadence);
        randomState.set(2, optimizer.step());
        long elements = last.input("x").elements();
        for (int i = 0; i < elements; i++) {
            last.input("x").set(i, kind.text() ? random.nextInt(CLASSES) : random.nextGaussian());
        }
        for (int i = 0; i < last.input("y").elements(); i++) {
            double signal = last.input("x").get(i % elements);
            last.input("y").set(i, kind.text() ? (signal + 1) % CLASSES : signal > 0 ? 1 : 2);
        }
        last.replay();
        optimizer.finish();
        return cadence;
    }

    /** The inputs and labels of the last step. */
    double[] lastInputs() {
        return last.input("x").doubles();
    }

    double[] lastLabels() {
        return last.input("y").doubles();
    }

    /** Replays the last step on its batch once more, with random numbers of its own. */
    void again() {
        randomState.set(3, randomState.get(3) + 1);
        last.replay();
    }

    /** The parameters in the order in which the recording met them. */
    List<Parameter> recorded() {
        return recorded;
    }

    /** What the last step's recording drew as its n-th random numbers, counted from 0. */
    double[] drawn(io.kingfisher.runtime.graph.Random.Distribution distribution, int n, Shape shape) {
        Graph graph = new Graph();
        graph.output("u", graph.random(distribution, graph.read(randomState), n, shape));
        try (Program program = device.compile(graph)) {
            program.replay();
            return program.output("u").doubles();
        }
    }

    double loss() {
        return last.output("loss").item();
    }

    /** The last step's batch: "x" or "y". */
    Tensor input(String name) {
        return last.input(name);
    }

    double[] gradient(Parameter parameter) {
        return last.output("g." + parameter.path()).doubles();
    }

    /** What the last step's captures saw, weight by weight. */
    Map<Parameter, List<ReferenceFisher.Use>> uses() {
        Map<Parameter, List<ReferenceFisher.Use>> result = new LinkedHashMap<>();
        for (int i = 0; i < captures.size(); i++) {
            Capture capture = captures.get(i);
            result.computeIfAbsent(capture.weight(), _ -> new ArrayList<>())
                    .add(new ReferenceFisher.Use(
                            capture,
                            last.output("a" + i).doubles(),
                            last.output("ds" + i).doubles()));
        }
        return result;
    }

    /** The number of terms that the loss is the mean of. */
    double count() {
        return kind.text() ? batch * TOKENS : batch;
    }

    /** The number of samples that the Fisher matrix is the mean of. */
    double samples() {
        return count();
    }

    /** Copies of all parameters. */
    Map<Parameter, double[]> parameters() {
        Map<Parameter, double[]> result = new LinkedHashMap<>();
        model.parameters().forEach(p -> result.put(p, p.tensor().doubles()));
        return result;
    }

    /** Copies of all parameters, buffers and optimizer state by name. */
    Map<String, double[]> everything() {
        Map<String, double[]> result = new LinkedHashMap<>();
        model.variables().forEach(v -> result.put(v.path(), v.tensor().doubles()));
        optimizer.state().tensors().forEach((name, tensor) -> result.put("optimizer." + name, tensor.doubles()));
        return result;
    }

    /** Draws and drops the data of some steps. */
    void skip(int steps) {
        long elements = programs.values().iterator().next().input("x").elements();
        for (long i = 0; i < steps * elements; i++) {
            if (kind.text()) {
                random.nextInt(CLASSES);
            } else {
                random.nextGaussian();
            }
        }
    }

    @Override
    public void close() {
        device.close();
    }
}
