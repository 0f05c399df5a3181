package io.kingfisher.bench;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Graph;
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

/** What a replay costs that has nothing to compute, and one with a single op of our own on four numbers. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class EmptyReplay {
    @Param("2")
    public int threads;

    private Device device;
    private Program empty, single;

    @Setup
    public void open() {
        device = Device.open("cpu", new DeviceOptions(threads));
        empty = device.compile(new Graph());
        Graph graph = new Graph();
        graph.output("y", graph.input("x", DType.F32, 4).mul(2));
        single = device.compile(graph);
    }

    @Benchmark
    public void empty() {
        empty.replay();
    }

    @Benchmark
    public void single() {
        single.replay();
    }

    @TearDown
    public void close() {
        device.close();
    }
}
