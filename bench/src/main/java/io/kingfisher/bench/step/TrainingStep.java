package io.kingfisher.bench.step;

import io.kingfisher.bench.step.StepEngine.Refresh;
import io.kingfisher.bench.step.StepEngine.Rule;
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
 * Full training steps, ours and libtorch's: input copied in, forward, loss, backward, update, loss read back. Each set of
 * parameters runs in a JVM of its own. The engine may be {@code libtorch+mkl}, {@code libtorch+channels-last},
 * {@code libtorch+fused} or several of these at once, and AdaFisher's steps with and without a refresh of the curvature are
 * {@code -p refresh=ALWAYS,NEVER}.
 *
 * <pre>java -jar benchmarks.jar TrainingStep -p model=lenet -p optimizer=SGD,ADAMW -p threads=1,2 -prof gc</pre>
 *
 * <p>A step of ours that allocates on the heap fails the benchmark.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 5)
@Measurement(iterations = 5, time = 5)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class TrainingStep {
    @Param({"mlp-small", "mlp-large", "lenet", "resnet18-cifar", "gpt-mini"})
    public String model;

    @Param("SGD")
    public Rule optimizer;

    @Param("SCHEDULED")
    public Refresh refresh;

    @Param("2")
    public int threads;

    @Param({Engines.OURS, Engines.LIBTORCH})
    public String engine;

    private StepEngine trainer;
    private int number;

    /** What a step of ours costs besides time. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.EVENTS)
    public static class Budget {
        /** Calls into native libraries of a step without a refresh; 0 for libtorch, which does not tell. */
        public double nativeCalls;
    }

    @Setup(Level.Trial)
    public void open() {
        trainer = Engines.open(engine, Workload.of(model, Workload.all()), optimizer, refresh, threads);
    }

    @Benchmark
    public float step(Budget budget) {
        budget.nativeCalls = trainer instanceof KingfisherEngine ours ? ours.nativeCalls() : 0;
        return trainer.step(number++);
    }

    /** Several steps that do not count: where any of them allocates nothing, so does a step. */
    @TearDown(Level.Trial)
    public void allocatesNothing() {
        if (Engines.ours(engine)) {
            long bytes = HeapBytes.fewest(5, () -> trainer.step(number++));
            if (bytes > 0) {
                throw new IllegalStateException("a step allocated " + bytes + " bytes on the heap, and should none");
            }
        }
        trainer.close();
    }
}
