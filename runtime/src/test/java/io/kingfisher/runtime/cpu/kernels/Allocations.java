package io.kingfisher.runtime.cpu.kernels;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Counts the bytes that a task allocates on the heap by this thread. */
final class Allocations {
    private static final ThreadMXBean HEAP = ManagementFactory.getPlatformMXBean(ThreadMXBean.class);

    private Allocations() {}

    static long of(Runnable task) {
        long before = HEAP.getCurrentThreadAllocatedBytes();
        task.run();
        return HEAP.getCurrentThreadAllocatedBytes() - before;
    }
}
