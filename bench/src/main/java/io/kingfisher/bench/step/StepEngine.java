package io.kingfisher.bench.step;

/** A network in training on some engine. */
public interface StepEngine extends AutoCloseable {
    /** Learning rates and the like that all engines share. */
    double SGD_RATE = 0.01, MOMENTUM = 0.9, ADAM_RATE = 1e-3, WEIGHT_DECAY = 0.01;

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
