package io.kingfisher.runtime.cuda.kernels;

import java.util.List;

/**
 * Launches that compute something together, in order.
 *
 * @param launches one after another on one stream
 * @param scratch the sizes in bytes of scratch buffers, which need not outlive the plan's launches
 * @param cleared of the scratch buffers, those that must be zero before the first launch
 */
public record KernelPlan(List<KernelLaunch> launches, List<Long> scratch, List<Integer> cleared) {
    public KernelPlan {
        launches = List.copyOf(launches);
        scratch = List.copyOf(scratch);
        cleared = List.copyOf(cleared);
    }

    public static KernelPlan of(KernelLaunch... launches) {
        return new KernelPlan(List.of(launches), List.of(), List.of());
    }
}
