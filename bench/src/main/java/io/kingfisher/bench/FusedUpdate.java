package io.kingfisher.bench;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.train.workload.Method;
import io.kingfisher.train.workload.UpdateAlone;
import io.kingfisher.train.workload.Workload;
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
 * The update of all 11.2 million parameters of resnet18-cifar, their gradients given, beside a copy: the secondary result
 * {@code moved} is bytes a second.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 4, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class FusedUpdate {
    @Param("2")
    public int threads;

    /** The update. */
    @State(Scope.Thread)
    public static class Updating {
        @Param({"SGD", "AdamW", "AdaFisher"})
        public String optimizer;

        private Device device;
        private UpdateAlone update;

        @Setup
        public void open(FusedUpdate with) {
            device = Device.open("cpu", new DeviceOptions(with.threads));
            update = new UpdateAlone(device, Method.of(optimizer), Workload.of("resnet18-cifar", Workload.all()));
        }

        @TearDown
        public void close() {
            device.close();
        }
    }

    /** The copy. */
    @State(Scope.Thread)
    public static class Copying {
        private CopyPeak peak;

        @Setup
        public void open(FusedUpdate with) {
            peak = new CopyPeak(with.threads, 1 << 27);
        }

        @TearDown
        public void close() {
            peak.close();
        }
    }

    @Benchmark
    public void update(Updating of, Moved moved) {
        of.update.advance();
        of.update.program().replay();
        moved.moved += (long) of.update.bytes();
    }

    @Benchmark
    public void copy(Copying of, Moved moved) {
        of.peak.copy();
        moved.moved += of.peak.moved();
    }

    /** Bytes read and written. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Moved {
        public long moved;

        @Setup(Level.Iteration)
        public void reset() {
            moved = 0;
        }
    }
}
