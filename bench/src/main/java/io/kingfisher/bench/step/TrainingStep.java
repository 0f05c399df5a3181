package io.kingfisher.bench.step;

import io.kingfisher.bench.step.StepEngine.Refresh;
import io.kingfisher.bench.step.StepEngine.Rule;
import io.kingfisher.bench.step.TorchEngine.Layout;
import io.kingfisher.train.workload.Workload;
import java.util.concurrent.TimeUnit;
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
 * Full training steps, ours and libtorch's: input copied in, forward, loss, backward, update, loss read back. Each pair of
 * parameters runs in a JVM of its own.
 *
 * <pre>java -jar benchmarks.jar TrainingStep -p model=lenet -p threads=1,2 -prof gc</pre>
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 5)
@Measurement(iterations = 5, time = 5)
@Fork(1)
public class TrainingStep {
    /** What trains. */
    public enum Engine {
        KINGFISHER,
        /** libtorch on OpenBLAS, images as N C H W. */
        LIBTORCH,
        LIBTORCH_CHANNELS_LAST,
        /** libtorch on MKL (build with {@code -Pmkl}). */
        LIBTORCH_MKL,
        LIBTORCH_MKL_CHANNELS_LAST
    }

    @Param({"mlp-small", "mlp-large", "lenet", "resnet18-cifar", "gpt-mini"})
    public String model;

    @Param("SGD")
    public Rule optimizer;

    @Param("SCHEDULED")
    public Refresh refresh;

    @Param("2")
    public int threads;

    @Param({"KINGFISHER", "LIBTORCH"})
    public Engine engine;

    private StepEngine trainer;
    private int number;

    @Setup(Level.Trial)
    public void open() {
        trainer = open(engine, Workload.of(model, Workload.all()), optimizer, refresh, threads);
    }

    static StepEngine open(Engine engine, Workload workload, Rule rule, Refresh refresh, int threads) {
        return switch (engine) {
            case KINGFISHER -> new KingfisherEngine(workload, rule, refresh, threads);
            case LIBTORCH -> new TorchEngine(workload, rule, threads, Layout.NCHW, false);
            case LIBTORCH_CHANNELS_LAST -> new TorchEngine(workload, rule, threads, Layout.CHANNELS_LAST, false);
            case LIBTORCH_MKL -> new TorchEngine(workload, rule, threads, Layout.NCHW, true);
            case LIBTORCH_MKL_CHANNELS_LAST -> new TorchEngine(workload, rule, threads, Layout.CHANNELS_LAST, true);
        };
    }

    @Benchmark
    public float step() {
        return trainer.step(number++);
    }

    @TearDown(Level.Trial)
    public void close() {
        trainer.close();
    }
}
