package io.kingfisher.train;

import io.kingfisher.train.data.Batch;
import java.util.function.Consumer;

/**
 * Steps that the device has been given and whose results have not been looked at. A device that runs behind the host is given
 * the next steps before the results of one are read, so that it never waits for the host; where a replay is done when it
 * returns, results are read at once. Allocates nothing once it is made.
 */
final class Pipeline {
    /** A step's place in the line; its results are there when it is handed to the listener, until the next one is. */
    static final class Result {
        private Programs.Step step;
        private long replay, began;
        private int targets;
        private double learningRate, loss, count, top1, top5, error;
        private long nanos;

        /** The sum of the loss over the terms of the batch. */
        double loss() {
            return loss;
        }

        /** The terms of the loss: samples, tokens, or elements. */
        double count() {
            return count;
        }

        double top1() {
            return top1;
        }

        double top5() {
            return top5;
        }

        /** The sum of squared errors of an autoencoder's pixels. */
        double error() {
            return error;
        }

        /** The targets of the batch that count. */
        int targets() {
            return targets;
        }

        /** With which the step was made. */
        double learningRate() {
            return learningRate;
        }

        /** What the step took: from its batch, or the step before it being done, to its own end. */
        long nanos() {
            return nanos;
        }
    }

    private final Result[] ring;
    private final Consumer<Result> listener;
    private long given, done;
    private long lastEnd = System.nanoTime();

    /**
     * @param ahead how many steps may wait when another one is given: at most what {@link Programs.Step#history()} keeps
     * @param listener told of each step once, in their order; what it throws ends the run
     */
    Pipeline(int ahead, Consumer<Result> listener) {
        this.listener = listener;
        ring = new Result[ahead + 1];
        for (int i = 0; i < ring.length; i++) {
            ring[i] = new Result();
        }
    }

    /** Gives a step to the device, then looks at the results of the oldest where as many wait as may. */
    void give(Programs.Step step, Batch batch, double learningRate) {
        Result result = ring[(int) (given % ring.length)];
        result.began = System.nanoTime();
        result.step = step;
        result.learningRate = learningRate;
        result.targets = batch.targetCount();
        result.replay = step.run(batch);
        given++;
        if (waiting() == ring.length) {
            finish();
        }
    }

    /** The steps whose results have not been looked at. */
    int waiting() {
        return (int) (given - done);
    }

    /** Looks at all results that there are to come. */
    void drain() {
        while (waiting() > 0) {
            finish();
        }
    }

    private void finish() {
        Result result = ring[(int) (done % ring.length)];
        Programs.Step step = result.step;
        result.loss = step.loss(result.replay);
        result.count = step.count(result.replay);
        result.top1 = step.top1(result.replay);
        result.top5 = step.top5(result.replay);
        result.error = step.error(result.replay);
        long now = System.nanoTime();
        result.nanos = now - Math.max(result.began, lastEnd);
        lastEnd = now;
        done++;
        listener.accept(result);
    }
}
