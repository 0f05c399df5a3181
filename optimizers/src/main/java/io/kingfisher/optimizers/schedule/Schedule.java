package io.kingfisher.optimizers.schedule;

/**
 * A learning rate as a function of time, counted in steps or epochs as the caller likes. Pure: the rate at a time does not
 * depend on what was asked before, so that a resumed run continues exactly. The closed forms are those of
 * {@code torch.optim.lr_scheduler}.
 */
@FunctionalInterface
public interface Schedule {
    /**
     * The learning rate.
     *
     * @param base the learning rate that the optimizer was made with
     * @param time 0 for the first step or epoch
     */
    double at(double base, long time);
}
