package io.kingfisher.bench;

import io.kingfisher.layers.BatchNorm2d;
import io.kingfisher.layers.Conv2d;
import io.kingfisher.layers.Embedding;
import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.LayerNorm;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.Recording;
import io.kingfisher.optimizers.AdaFisher;
import io.kingfisher.optimizers.AdaFisherConfig;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.Optimizer.Cadence;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.SplittableRandom;
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
 * What a refresh of AdaFisher's curvature adds to the step of a single layer of each kind: the difference between the two
 * cadences. The loss is the sum of the squared outputs. Mode {@code paper}, in which embeddings have a rule too.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class CurvatureRefresh {
    /** A layer at a size that the five networks have. */
    public enum Kind {
        LINEAR(DType.F32, 1024, 256),
        CONV(DType.F32, 64, 64, 16, 16),
        BATCH_NORM(DType.F32, 64, 64, 16, 16),
        LAYER_NORM(DType.F32, 8, 128, 256),
        EMBEDDING(DType.I32, 8, 128);

        private final Type input;

        Kind(DType dtype, long... extents) {
            input = new Type(dtype, Shape.of(extents));
        }

        private Layer layer() {
            return switch (this) {
                case LINEAR -> new Linear(256, 1024);
                case CONV -> new Conv2d(64, 64, 3, 1, 1);
                case BATCH_NORM -> new BatchNorm2d(64);
                case LAYER_NORM -> new LayerNorm(256);
                case EMBEDDING -> new Embedding(512, 256);
            };
        }
    }

    @Param
    public Kind layer;

    @Param({"STEP", "REFRESH"})
    public Cadence cadence;

    @Param("2")
    public int threads;

    private Device device;
    private Optimizer optimizer;
    private Program program;

    @Setup
    public void open() {
        device = Device.open("cpu", new DeviceOptions(threads));
        Layer built = layer.layer();
        built.initialize(device, 1);
        var group = new ParameterGroup(built.parameters(), 1e-6, 0);
        optimizer = new AdaFisher(
                device, List.of(group), AdaFisherConfig.of(AdaFisherConfig.Mode.PAPER), new Clipping.None());
        Graph graph = new Graph();
        Recording recording = Recording.train(graph);
        Value y = built.apply(recording, graph.input("x", layer.input));
        Gradients gradients = recording.gradients(y.square().mean());
        optimizer.record(gradients, cadence);
        program = device.compile(graph);
        Tensor x = program.input("x");
        var random = new SplittableRandom(1);
        for (long i = 0; i < x.elements(); i++) {
            x.set(i, layer == Kind.EMBEDDING ? random.nextInt(512) : random.nextGaussian());
        }
    }

    @Benchmark
    public void step() {
        optimizer.advance();
        program.replay();
    }

    @TearDown
    public void close() {
        device.close();
    }
}
