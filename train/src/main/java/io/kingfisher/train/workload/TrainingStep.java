package io.kingfisher.train.workload;

import io.kingfisher.layers.CrossEntropy;
import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.LossScale;
import io.kingfisher.layers.LossValue;
import io.kingfisher.layers.Precision;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Variable;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.Optimizer.Cadence;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import java.lang.foreign.Arena;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A compiled training step with everything that belongs to it. What it computes is a function of its arguments alone. */
public final class TrainingStep implements AutoCloseable {
    private static final int BATCHES = 8;

    private final Arena arena = Arena.ofShared();
    private final List<Samples.Batch> batches;
    private final Layer model;
    private final Optimizer optimizer;
    private final Optional<LossScale> lossScale;
    private final Tensor randomState;
    private final Map<Cadence, Program> programs = new EnumMap<>(Cadence.class);
    private final Map<Cadence, Work> work = new EnumMap<>(Cadence.class);
    private Program last;
    private int steps;

    /** A step on a device with the usual settings. */
    public TrainingStep(Device device, Workload workload, Method method, Precision precision, long seed) {
        this(device, workload, method, precision, seed, 0);
    }

    /** Makes an optimizer over all parameters of a model. */
    public interface Maker {
        Optimizer make(Device device, Layer model);
    }

    /**
     * @param refreshInterval steps between refreshes of the curvature; 0 for the usual number
     */
    public TrainingStep(
            Device device, Workload workload, Method method, Precision precision, long seed, int refreshInterval) {
        this(device, workload, (on, model) -> method.make(on, model, refreshInterval), precision, seed);
    }

    /** A step with any optimizer. */
    public TrainingStep(Device device, Workload workload, Maker maker, Precision precision, long seed) {
        batches = Samples.make(workload, BATCHES, seed, arena);
        model = workload.model();
        model.initialize(device, seed);
        optimizer = maker.make(device, model);
        lossScale = precision == Precision.FP16
                ? Optional.of(new LossScale(device, LossScale.Config.usual()))
                : Optional.empty();
        randomState = device.allocate(DType.I32, Shape.of(4));
        for (Cadence cadence : optimizer.cadences()) {
            Graph graph = new Graph();
            Recording r = Recording.train(graph, randomState).precision(precision);
            lossScale.ifPresent(r::lossScale);
            LossValue loss = new CrossEntropy()
                    .apply(r, model.apply(r, graph.input("x", workload.input())), graph.input("y", workload.target()));
            Gradients gradients = r.gradients(loss);
            optimizer.record(gradients, cadence);
            graph.output("loss", loss.mean());
            work.put(cadence, Work.of(graph));
            programs.put(cadence, device.compile(graph));
        }
    }

    /** One step on the next batch; a device that runs behind the host may not be done with it yet. */
    public void step() {
        prepare().replay();
        optimizer.finish();
    }

    /** One whole step of a cadence, as soon as the optimizer has one: those before it are left out. */
    void step(Cadence wanted) {
        Cadence cadence = optimizer.advance();
        while (cadence != wanted) {
            cadence = optimizer.advance();
        }
        prepare(cadence).replay();
        optimizer.finish();
    }

    /** The optimizer of this step. */
    Optimizer optimizer() {
        return optimizer;
    }

    /** Fills the inputs of the next step and returns its program, to be replayed next. */
    public Program prepare() {
        return prepare(optimizer.advance());
    }

    /** The same for a step of this cadence, out of turn; one without a refresh where the optimizer has none. */
    Program prepare(Cadence cadence) {
        Samples.Batch batch = batches.get(steps % BATCHES);
        last = programs.getOrDefault(cadence, programs.get(Cadence.STEP));
        last.input("x").write(batch.inputs());
        last.input("y").write(batch.targets());
        randomState.set(2, steps++);
        return last;
    }

    /** The mean loss of the last step, for which it waits. */
    public double loss() {
        return last.output("loss").item();
    }

    public Layer model() {
        return model;
    }

    public Optional<LossScale> lossScale() {
        return lossScale;
    }

    /** The program of the step without a refresh of the curvature. */
    public Program program() {
        return programs.get(Cadence.STEP);
    }

    /** Both programs. */
    public List<Program> programs() {
        return List.copyOf(programs.values());
    }

    /** What the step without a refresh has to compute and to move. */
    public Work work() {
        return work.get(Cadence.STEP);
    }

    /** Everything that a step changes, by name. */
    public Map<String, double[]> state() {
        Map<String, double[]> all = new LinkedHashMap<>();
        for (Variable variable : model.variables()) {
            all.put(variable.path(), variable.tensor().doubles());
        }
        optimizer.state().tensors().forEach((name, tensor) -> all.put("optimizer." + name, tensor.doubles()));
        lossScale.ifPresent(
                scale -> scale.tensors().forEach((name, tensor) -> all.put("loss_scale." + name, tensor.doubles())));
        return all;
    }

    @Override
    public void close() {
        programs.values().forEach(Program::close);
        optimizer.close();
        lossScale.ifPresent(LossScale::close);
        model.close();
        randomState.close();
        arena.close();
    }
}
