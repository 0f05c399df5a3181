package io.kingfisher.train;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.LossScale;
import io.kingfisher.layers.Precision;
import io.kingfisher.layers.Recording;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.train.data.Batch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** The compiled programs of a run: the training step, the one that also refreshes curvature, and the evaluation. */
final class Programs implements AutoCloseable {
    /**
     * A program with its staging memory and results at hand, so that a step looks nothing up. Results are asked for by the
     * number of the replay that left them: the last one or one of the {@link #history()} before it.
     */
    static final class Step {
        private final Program program;
        private final Runnable completion;
        private final Tensor x, y;
        private final Tensor[] loss, count, top1, top5, error;
        private long replays;

        /** A step that is complete once something has run after each replay. */
        private Step(Program program, Runnable completion) {
            this.program = program;
            this.completion = completion;
            x = program.input("x");
            y = program.input("y");
            loss = outputs("loss");
            count = outputs("count");
            top1 = outputs("top1");
            top5 = outputs("top5");
            error = outputs("error");
        }

        private Tensor[] outputs(String name) {
            return IntStream.rangeClosed(0, program.history())
                    .mapToObj(back -> program.output(name, back))
                    .toArray(Tensor[]::new);
        }

        /** Replays the program with a batch and returns the number of this replay. */
        long run(Batch batch) {
            x.write(batch.inputs());
            y.write(batch.targets());
            program.replay();
            completion.run();
            return ++replays;
        }

        /** How many replays before the last one still have their results. */
        int history() {
            return program.history();
        }

        private double of(Tensor[] output, long replay) {
            return output[(int) (replays - replay)].get(0);
        }

        /** The sum of the loss over the terms of the batch. */
        double loss(long replay) {
            return of(loss, replay);
        }

        /** The terms of the loss: samples, tokens, or elements. */
        double count(long replay) {
            return of(count, replay);
        }

        double top1(long replay) {
            return of(top1, replay);
        }

        double top5(long replay) {
            return of(top5, replay);
        }

        double error(long replay) {
            return of(error, replay);
        }
    }

    private final Map<Optimizer.Cadence, Step> training = new EnumMap<>(Optimizer.Cadence.class);
    private final Step evaluation;
    private final Precision precision;
    private final Optional<LossScale> lossScale;
    private final Tensor randomState;
    private final MemorySegment random = Arena.ofAuto().allocate(4L * Integer.BYTES, 8);

    Programs(
            Device device,
            Task task,
            Layer model,
            Optimizer optimizer,
            Precision precision,
            Optional<LossScale> lossScale) {
        this.precision = precision;
        this.lossScale = lossScale;
        randomState = device.allocate(DType.I32, Shape.of(4));
        for (Optimizer.Cadence cadence : optimizer.cadences()) {
            training.put(cadence, train(device, task, model, optimizer, cadence));
        }
        Graph graph = new Graph();
        output(graph, task.record(Recording.eval(graph).precision(precision), model, false, true));
        evaluation = new Step(device.compile(graph), () -> {});
    }

    private Step train(Device device, Task task, Layer model, Optimizer optimizer, Optimizer.Cadence cadence) {
        Graph graph = new Graph();
        Recording r = Recording.train(graph, randomState).precision(precision);
        lossScale.ifPresent(r::lossScale);
        // Ranking a whole vocabulary in every step would cost more than it tells.
        Task.Outcome outcome = task.record(r, model, true, !task.language());
        Gradients gradients = r.gradients(outcome.loss());
        optimizer.record(gradients, cadence);
        output(graph, outcome);
        return new Step(device.compile(graph), optimizer::finish);
    }

    private static void output(Graph graph, Task.Outcome outcome) {
        graph.output("loss", outcome.loss().sum());
        graph.output("count", outcome.loss().count());
        graph.output("top1", outcome.top1());
        graph.output("top5", outcome.top5());
        graph.output("error", outcome.error());
    }

    /** Sets what dropout draws from: a function of the seed and the step, so that a resumed run draws the same. */
    void random(long seed, long step) {
        random.setAtIndex(ValueLayout.JAVA_INT, 0, (int) seed);
        random.setAtIndex(ValueLayout.JAVA_INT, 1, (int) (seed >>> 32));
        random.setAtIndex(ValueLayout.JAVA_INT, 2, (int) step);
        random.setAtIndex(ValueLayout.JAVA_INT, 3, (int) (step >>> 32));
        randomState.write(random);
    }

    /** How many more steps may be handed over before the results of one are read. */
    int history() {
        return evaluation.history();
    }

    Step training(Optimizer.Cadence cadence) {
        return training.get(cadence);
    }

    Step evaluation() {
        return evaluation;
    }

    @Override
    public void close() {
        training.values().forEach(step -> step.program.close());
        evaluation.program.close();
        randomState.close();
    }
}
