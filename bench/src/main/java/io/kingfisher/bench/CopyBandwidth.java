package io.kingfisher.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What one thread can copy: the ceiling that every memory-bound operation of the CPU device is measured against.
 *
 * <p>The secondary result {@code moved} counts the bytes read and written, in bytes per the unit of time; the sizes
 * stand for the first-level cache, the last-level cache and main memory. Run with {@code -t N} for N threads.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class CopyBandwidth {
    private static final int ALIGNMENT = 64;

    @Param({"16384", "1048576", "67108864"})
    public int bytes;

    private Arena arena;
    private float[] heap;
    private MemorySegment from;
    private MemorySegment to;

    /** Bytes read and written. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Traffic {
        public long moved;

        @Setup(Level.Iteration)
        public void reset() {
            moved = 0;
        }
    }

    @Setup
    public void allocate() {
        arena = Arena.ofConfined();
        from = arena.allocate(bytes, ALIGNMENT);
        to = arena.allocate(bytes, ALIGNMENT);
        heap = new float[bytes / Float.BYTES];
        // Pages that were never written all map to one page of zeros, which would measure the cache.
        from.fill((byte) 1);
        to.fill((byte) 2);
    }

    @TearDown
    public void release() {
        arena.close();
    }

    /** One off-heap segment to another. */
    @Benchmark
    public MemorySegment offHeapToOffHeap(Traffic traffic) {
        MemorySegment.copy(from, 0, to, 0, bytes);
        traffic.moved += 2L * bytes;
        return to;
    }

    /** A Java array to an off-heap segment, as a user's input arrives. */
    @Benchmark
    public MemorySegment heapToOffHeap(Traffic traffic) {
        MemorySegment.copy(heap, 0, to, ValueLayout.JAVA_FLOAT, 0, heap.length);
        traffic.moved += 2L * bytes;
        return to;
    }

    /** A write only: what initialising memory costs. */
    @Benchmark
    public MemorySegment fill(Traffic traffic) {
        traffic.moved += bytes;
        return to.fill((byte) 3);
    }
}
