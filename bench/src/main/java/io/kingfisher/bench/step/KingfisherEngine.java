package io.kingfisher.bench.step;

import io.kingfisher.layers.CrossEntropy;
import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.LossValue;
import io.kingfisher.layers.Recording;
import io.kingfisher.optimizers.AdaFisher;
import io.kingfisher.optimizers.AdaFisherConfig;
import io.kingfisher.optimizers.Adam;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.Optimizer.Cadence;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.Sgd;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.train.workload.Workload;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** A workload on a device of Kingfisher's. */
public final class KingfisherEngine implements StepEngine {
    private record Recorded(Program program, Tensor x, Tensor y, Tensor loss) {}

    private final Device device;
    private final Optimizer optimizer;
    private final Refresh refresh;
    private final Map<Cadence, Recorded> programs = new EnumMap<>(Cadence.class);
    private final Tensor[] inputs = new Tensor[Batches.INPUTS], labels = new Tensor[Batches.LABELS];

    public KingfisherEngine(Workload workload, Rule rule, Refresh refresh, int threads) {
        this.refresh = refresh;
        device = Device.open("cpu", new DeviceOptions(threads));
        Layer model = workload.model();
        model.initialize(device, SEED);
        optimizer = optimizer(device, model, workload, rule);
        for (Cadence cadence : optimizer.cadences()) {
            programs.put(cadence, record(workload, model, cadence));
        }
        var batches = new Batches(workload);
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] =
                    device.allocate(workload.input().dtype(), workload.input().shape());
            if (workload.text()) {
                inputs[i].write(batches.tokens(i));
            } else {
                inputs[i].write(batches.images(i));
            }
        }
        for (int i = 0; i < labels.length; i++) {
            labels[i] =
                    device.allocate(workload.target().dtype(), workload.target().shape());
            labels[i].write(batches.labels(i));
        }
    }

    private static Optimizer optimizer(Device device, Layer model, Workload workload, Rule rule) {
        double rate = StepEngine.rate(workload, rule);
        double decay = rule == Rule.SGD ? 0 : WEIGHT_DECAY;
        List<ParameterGroup> groups = List.of(new ParameterGroup(model.parameters(), rate, decay));
        var none = new Clipping.None();
        return switch (rule) {
            case SGD -> new Sgd(device, groups, new Sgd.Config(MOMENTUM, 0, false), none);
            case ADAMW -> new Adam(device, groups, new Adam.Config(0.9, 0.999, 1e-8, true), none);
            case ADAFISHER -> new AdaFisher(device, groups, adaFisher(workload), none);
        };
    }

    /** AdaFisher's settings, for every engine. */
    static AdaFisherConfig adaFisher(Workload workload) {
        var config = AdaFisherConfig.of(AdaFisherConfig.Mode.RELEASED);
        return workload.text() ? config.withDecoupledDecay() : config;
    }

    private Recorded record(Workload workload, Layer model, Cadence cadence) {
        Graph graph = new Graph();
        Recording recording = Recording.train(graph);
        Value x = graph.input("x", workload.input());
        Value y = graph.input("y", workload.target());
        LossValue loss = new CrossEntropy().apply(recording, model.apply(recording, x), y);
        Gradients gradients = recording.gradients(loss);
        optimizer.record(gradients, cadence);
        graph.output("loss", loss.mean());
        Program program = device.compile(graph);
        return new Recorded(program, program.input("x"), program.input("y"), program.output("loss"));
    }

    /** The device, for what it says of itself. */
    public Device device() {
        return device;
    }

    /** The calls into native libraries of a step without a refresh. */
    public int nativeCalls() {
        return nativeCalls(Cadence.STEP);
    }

    /** The calls into native libraries of a step; of one without a refresh where the optimizer has none. */
    int nativeCalls(Cadence cadence) {
        return programs.getOrDefault(cadence, programs.get(Cadence.STEP))
                .program()
                .nativeCalls();
    }

    @Override
    public float step(int number) {
        Cadence scheduled = optimizer.advance();
        Recorded recorded = programs.get(
                switch (refresh) {
                    case SCHEDULED -> scheduled;
                    case NEVER -> Cadence.STEP;
                    case ALWAYS -> optimizer.cadences().contains(Cadence.REFRESH) ? Cadence.REFRESH : Cadence.STEP;
                });
        recorded.x().write(inputs[number % inputs.length].segment());
        recorded.y().write(labels[number % labels.length].segment());
        recorded.program().replay();
        return (float) recorded.loss().get(0);
    }

    @Override
    public void close() {
        device.close();
    }
}
