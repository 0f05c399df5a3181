package io.kingfisher.bench;

import io.kingfisher.nativebindings.NativeBlock;
import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.nativebindings.NativeThreads;
import io.kingfisher.nativebindings.cblas.Cblas;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
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
 * What a call into a native library costs: a dot product of one element does nothing but be called, and a longer one
 * says from which size on the library is worth calling rather than looping in Java.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class DowncallCost {
    @Param({"1", "64", "4096"})
    public int length;

    private NativeBlock block;
    private MemorySegment x;
    private MemorySegment y;

    @Setup
    public void allocate() {
        NativeThreads.setOpenBlas(1);
        long bytes = (long) length * Float.BYTES;
        block = NativeMemory.allocate(2 * bytes);
        x = block.segment().asSlice(0, bytes).fill((byte) 0);
        y = block.segment().asSlice(bytes, bytes).fill((byte) 0);
    }

    @TearDown
    public void release() {
        block.close();
    }

    @Benchmark
    public float cblasDot() {
        return Cblas.sdot(length, x, 1, y, 1);
    }

    @Benchmark
    public float javaDot() {
        float sum = 0;
        for (long at = 0; at < x.byteSize(); at += Float.BYTES) {
            sum += x.get(ValueLayout.JAVA_FLOAT, at) * y.get(ValueLayout.JAVA_FLOAT, at);
        }
        return sum;
    }
}
