package io.kingfisher.bench;

import io.kingfisher.layers.Precision;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.ProgramStep;
import io.kingfisher.train.workload.Method;
import io.kingfisher.train.workload.TrainingStep;
import io.kingfisher.train.workload.Workload;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
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
 * The ops of the five networks at each shape, as a training step runs them: with the layouts that they have there, and with
 * what is fused into them. The secondary results {@code flop} and {@code bytes} are a second's.
 *
 * <p>An op is named by workload, layer and kind. Kinds are ops' names; a product is {@code MatMul:nt} (forward),
 * {@code MatMul:nn} (the input's gradient) or {@code MatMul:tn} (the weight's); {@code *} is all that a layer does. Without a
 * layer it is what is recorded outside of layers: the loss.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class Lowering {
    @Param({
        "mlp-small/fc1/MatMul:nt",
        "mlp-small/fc1/MatMul:tn",
        "mlp-small/fc2/MatMul:nt",
        "mlp-large/fc1/MatMul:nt",
        "mlp-large/fc1/MatMul:tn",
        "mlp-large/fc2/MatMul:nt",
        "mlp-large/fc2/MatMul:nn",
        "mlp-large/fc2/MatMul:tn",
        "mlp-large/fc1/Reduce",
        "mlp-large/fc3/MatMul:nt",
        "lenet/conv1/Conv2d",
        "lenet/conv1/Conv2dWeightGrad",
        "lenet/conv2/Conv2d",
        "lenet/conv2/Conv2dInputGrad",
        "lenet/conv2/Conv2dWeightGrad",
        "lenet/MaxPool2d/MaxPool2d",
        "lenet/MaxPool2d/MaxPool2dGrad",
        "lenet/fc1/MatMul:nt",
        "lenet/fc1/MatMul:nn",
        "lenet/fc1/MatMul:tn",
        "lenet/conv2/Reduce",
        "resnet18-cifar/conv1/Conv2d",
        "resnet18-cifar/conv1/Conv2dWeightGrad",
        "resnet18-cifar/layer1.0.conv1/Conv2d",
        "resnet18-cifar/layer1.0.conv1/Conv2dInputGrad",
        "resnet18-cifar/layer1.0.conv1/Conv2dWeightGrad",
        "resnet18-cifar/layer2.0.conv1/Conv2d",
        "resnet18-cifar/layer2.0.conv1/Conv2dInputGrad",
        "resnet18-cifar/layer2.0.conv1/Conv2dWeightGrad",
        "resnet18-cifar/layer2.0.conv2/Conv2d",
        "resnet18-cifar/layer2.0.conv2/Conv2dInputGrad",
        "resnet18-cifar/layer2.0.conv2/Conv2dWeightGrad",
        "resnet18-cifar/layer2.0.downsample.0/Conv2d",
        "resnet18-cifar/layer2.0.downsample.0/Conv2dInputGrad",
        "resnet18-cifar/layer2.0.downsample.0/Conv2dWeightGrad",
        "resnet18-cifar/layer3.0.conv1/Conv2d",
        "resnet18-cifar/layer3.0.conv1/Conv2dInputGrad",
        "resnet18-cifar/layer3.0.conv1/Conv2dWeightGrad",
        "resnet18-cifar/layer3.0.conv2/Conv2d",
        "resnet18-cifar/layer3.0.conv2/Conv2dInputGrad",
        "resnet18-cifar/layer3.0.conv2/Conv2dWeightGrad",
        "resnet18-cifar/layer3.0.downsample.0/Conv2d",
        "resnet18-cifar/layer3.0.downsample.0/Conv2dInputGrad",
        "resnet18-cifar/layer3.0.downsample.0/Conv2dWeightGrad",
        "resnet18-cifar/layer4.0.conv1/Conv2d",
        "resnet18-cifar/layer4.0.conv1/Conv2dInputGrad",
        "resnet18-cifar/layer4.0.conv1/Conv2dWeightGrad",
        "resnet18-cifar/layer4.0.conv2/Conv2d",
        "resnet18-cifar/layer4.0.conv2/Conv2dInputGrad",
        "resnet18-cifar/layer4.0.conv2/Conv2dWeightGrad",
        "resnet18-cifar/layer4.0.downsample.0/Conv2d",
        "resnet18-cifar/layer4.0.downsample.0/Conv2dInputGrad",
        "resnet18-cifar/layer4.0.downsample.0/Conv2dWeightGrad",
        "resnet18-cifar/layer1.0.bn1/BatchNorm",
        "resnet18-cifar/layer1.0.bn1/BatchNormGrad",
        "resnet18-cifar/layer2.0.bn1/BatchNorm",
        "resnet18-cifar/layer2.0.bn1/BatchNormGrad",
        "resnet18-cifar/layer3.0.bn1/BatchNorm",
        "resnet18-cifar/layer3.0.bn1/BatchNormGrad",
        "resnet18-cifar/layer4.0.bn1/BatchNorm",
        "resnet18-cifar/layer4.0.bn1/BatchNormGrad",
        "resnet18-cifar/fc/MatMul:nt",
        "gpt-mini/blocks.0.norm1/LayerNorm",
        "gpt-mini/blocks.0.norm1/LayerNormGrad",
        "gpt-mini/blocks.0.attention/*",
        "gpt-mini/blocks.0.attention/Softmax",
        "gpt-mini/blocks.0.attention.out_proj/MatMul:nt",
        "gpt-mini/blocks.0.attention.out_proj/MatMul:nn",
        "gpt-mini/blocks.0.attention.out_proj/MatMul:tn",
        "gpt-mini/blocks.0.mlp.fc1/MatMul:nt",
        "gpt-mini/blocks.0.mlp.fc1/MatMul:nn",
        "gpt-mini/blocks.0.mlp.fc1/MatMul:tn",
        "gpt-mini/blocks.0.mlp.fc1/Reduce",
        "gpt-mini/blocks.0.mlp.gelu/*",
        "gpt-mini/blocks.0.mlp.fc2/MatMul:nt",
        "gpt-mini/blocks.0.mlp.fc2/MatMul:nn",
        "gpt-mini/blocks.0.mlp.fc2/MatMul:tn",
        "gpt-mini/head/MatMul:nt",
        "gpt-mini/head/MatMul:nn",
        "gpt-mini/head/MatMul:tn",
        "gpt-mini//SoftmaxCrossEntropy",
        "gpt-mini//SoftmaxCrossEntropyGrad"
    })
    public String op;

    @Param("2")
    public int threads;

    private Device device;
    private TrainingStep step;
    private Runnable[] runs;
    private long flop, bytes;

    /** What was computed and moved. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Done {
        public long flop;
        public long bytes;

        @Setup(Level.Iteration)
        public void reset() {
            flop = 0;
            bytes = 0;
        }
    }

    @Setup
    public void open() {
        String[] parts = op.split("/");
        device = Device.open("cpu", new DeviceOptions(threads));
        Workload workload = Workload.of(parts[0], Workload.all());
        step = new TrainingStep(device, workload, Method.SGD, Precision.FP32, 1);
        // Numbers that training sees are in memory.
        step.step();
        List<ProgramStep> all = step.program().steps();
        List<ProgramStep> steps = all.stream()
                .filter(each -> each.scope().equals(parts[1]) && is(each.what(), parts[2]))
                .toList();
        if (steps.isEmpty()) {
            throw new KingfisherException("The step of " + parts[0] + " has no op " + op + "; it has "
                    + all.stream()
                            .map(each -> each.scope() + "/" + name(each.what()))
                            .distinct()
                            .collect(Collectors.joining(", "))
                    + ".");
        }
        runs = steps.stream().map(ProgramStep::run).toArray(Runnable[]::new);
        flop = (long) steps.stream().mapToDouble(ProgramStep::flop).sum();
        bytes = (long) steps.stream().mapToDouble(ProgramStep::bytes).sum();
    }

    private static boolean is(String what, String kind) {
        return kind.equals("*")
                || switch (kind) {
                    case "MatMul:nt" -> what.startsWith("MatMul[transposeA=false, transposeB=true]");
                    case "MatMul:nn" -> what.startsWith("MatMul[transposeA=false, transposeB=false]");
                    case "MatMul:tn" -> what.startsWith("MatMul[transposeA=true, transposeB=false]");
                    default -> name(what).equals(kind);
                };
    }

    private static String name(String what) {
        return what.split("[\\[ :]", 2)[0];
    }

    @Benchmark
    public void run(Done done) {
        for (Runnable run : runs) {
            run.run();
        }
        done.flop += flop;
        done.bytes += bytes;
    }

    @TearDown
    public void close() {
        step.close();
        device.close();
    }
}
