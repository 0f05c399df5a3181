package io.kingfisher.nativebindings;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Counts the bytes of heap that the calling thread allocates. */
public final class HeapBytes {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private HeapBytes() {}

    /**
     * Returns the bytes that a thousand calls allocate once everything is linked: the least of several rounds, for the JVM
     * allocates a little of its own, a bounded number of times, while it links and profiles.
     */
    public static long ofThousandCalls(Runnable call) {
        long least = Long.MAX_VALUE;
        for (int round = 0; round < 10; round++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            long measuring = THREADS.getCurrentThreadAllocatedBytes() - before;
            before = THREADS.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 1000; i++) {
                call.run();
            }
            least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before - measuring);
        }
        return least;
    }
}
