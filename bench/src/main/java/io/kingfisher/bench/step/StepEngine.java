package io.kingfisher.bench.step;

import io.kingfisher.train.workload.Workload;

/** A network in training on some engine. */
public interface StepEngine extends AutoCloseable {
    /** Settings that all engines share. */
    double MOMENTUM = 0.9, WEIGHT_DECAY = 0.01;

    /**
     * The learning rate that all engines share: small enough for the deepest network that the roundings in which engines
     * differ do not grow to a thousandth of the loss within 20 steps.
     */
    static double rate(Workload workload, Rule rule) {
        double rate = switch (rule) {
            case SGD -> 1e-2;
            case ADAMW -> 1e-3;
            case ADAFISHER -> 1e-4;
        };
        return workload.name().startsWith("resnet") ? rate / 100 : rate;
    }

    /** The seed of the initial weights, which every engine takes from the same initialisation. */
    long SEED = 1;

    /** The optimizers that are measured. */
    enum Rule {
        /** Momentum 0.9. */
        SGD,
        ADAMW,
        /** As released; AdaFisherW for text. */
        ADAFISHER
    }

    /** Which steps are measured, of an optimizer that refreshes its curvature now and then. */
    enum Refresh {
        /** As the optimizer goes: mostly without. */
        SCHEDULED,
        NEVER,
        ALWAYS
    }

    /**
     * A whole step: input copied in, forward, loss, backward, update, loss read back.
     *
     * @param number of the step, which says what batches it sees
     * @return the loss before the update
     */
    float step(int number);

    @Override
    void close();
}
