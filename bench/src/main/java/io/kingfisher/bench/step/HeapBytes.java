package io.kingfisher.bench.step;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** What a step allocates on the Java heap, in all threads of the process. */
public final class HeapBytes {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private HeapBytes() {}

    /**
     * The fewest bytes that any of these runs allocated: other threads of the process, which can only add to them, may
     * allocate something now and then.
     */
    public static long fewest(int runs, Runnable step) {
        THREADS.getTotalThreadAllocatedBytes();
        long fewest = Long.MAX_VALUE;
        for (int i = 0; i < runs && fewest > 0; i++) {
            long before = THREADS.getTotalThreadAllocatedBytes();
            step.run();
            fewest = Math.min(fewest, THREADS.getTotalThreadAllocatedBytes() - before);
        }
        return fewest;
    }
}
