package io.kingfisher.bench.step;

import static org.bytedeco.pytorch.global.torch.cross_entropy_loss;

import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Variable;
import io.kingfisher.nativebindings.Libraries;
import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.train.workload.Workload;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.openblas.presets.openblas_nolapack;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.Optimizer;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;

/** The same workload on libtorch, through its C++ front end as JavaCPP gives it to Java. */
public final class TorchEngine implements StepEngine {
    /** How images and kernels lie in memory. */
    public enum Layout {
        NCHW,
        CHANNELS_LAST
    }

    /**
     * How libtorch is set up.
     *
     * @param mkl whether products run on MKL, whose jar must then be there, rather than on OpenBLAS
     * @param fused whether one operator updates all parameters, where libtorch has one
     */
    public record Setting(Layout layout, boolean mkl, boolean fused) {
        public static final Setting USUAL = new Setting(Layout.NCHW, false, false);
    }

    private final TorchNet net;
    private final TorchUpdate update;
    private final Tensor[] inputs = new Tensor[Batches.INPUTS], labels = new Tensor[Batches.LABELS];

    public TorchEngine(Workload workload, Rule rule, Refresh refresh, int threads, Setting setting) {
        Layout layout = setting.layout();
        if (setting.mkl()) {
            System.setProperty("org.bytedeco.openblas.load", "mkl");
            // The threads of libtorch's own loops, rather than a second set of them.
            NativeMemory.setenv("MKL_THREADING_LAYER", "GNU");
        } else if (Libraries.loaded().isEmpty()) {
            // OpenBLAS and libtorch have threads of their own, which starve each other where they wait by spinning.
            // Beside
            // our engine in one process, as in tests, it is too late to say so.
            NativeMemory.setenv("OMP_WAIT_POLICY", "passive");
        }
        Loader.load(torch.class);
        torch.set_num_threads(threads);
        openblas_nolapack.blas_set_num_threads(threads);
        Map<String, Tensor> variables = new LinkedHashMap<>();
        List<Tensor> trained = new ArrayList<>();
        try (Device device = Device.open("reference")) {
            Layer model = workload.model();
            model.initialize(device, SEED);
            for (Variable variable : model.variables()) {
                if (variable.tensor().dtype() == DType.F32) {
                    Tensor tensor = Tensor.create(
                            variable.tensor().floats(),
                            variable.tensor().shape().toArray());
                    variables.put(variable.path(), placed(tensor, layout));
                }
            }
            model.parameters()
                    .forEach(parameter ->
                            trained.add(variables.get(parameter.path()).set_requires_grad(true)));
        }
        double rate = StepEngine.rate(workload, rule);
        if (rule == Rule.ADAFISHER) {
            var adaFisher = new TorchAdaFisher(
                    KingfisherEngine.adaFisher(workload), rate, refresh, variables, sgd(trained, rate));
            net = new TorchNet(workload, variables, adaFisher::see);
            update = adaFisher;
        } else {
            net = new TorchNet(workload, variables, _ -> {});
            update = update(rule, rate, trained, setting.fused());
        }
        var batches = new Batches(workload);
        for (int i = 0; i < inputs.length; i++) {
            long[] shape = workload.input().shape().toArray();
            inputs[i] = workload.text()
                    ? Tensor.create(longs(batches.tokens(i)), shape)
                    : placed(Tensor.create(batches.images(i), shape), layout);
        }
        for (int i = 0; i < labels.length; i++) {
            labels[i] = Tensor.create(longs(batches.labels(i)));
        }
    }

    private static Tensor placed(Tensor tensor, Layout layout) {
        return layout == Layout.CHANNELS_LAST && tensor.dim() == 4
                ? tensor.contiguous(MemoryFormat.ChannelsLast)
                : tensor;
    }

    private static long[] longs(int[] values) {
        return Arrays.stream(values).asLongStream().toArray();
    }

    private static TorchUpdate update(Rule rule, double rate, List<Tensor> parameters, boolean fused) {
        Optimizer sgd = sgd(parameters, rate);
        return switch (rule) {
            case SGD -> fused ? TorchFused.sgd(parameters, rate, sgd) : TorchUpdate.of(sgd);
            case ADAMW -> fused ? TorchFused.adamW(parameters, rate, sgd) : TorchUpdate.of(adamW(parameters, rate));
            case ADAFISHER -> throw new AssertionError(rule);
        };
    }

    private static Optimizer sgd(List<Tensor> parameters, double rate) {
        var options = new SGDOptions(rate);
        options.momentum().put(MOMENTUM);
        return new SGD(vector(parameters), options);
    }

    private static Optimizer adamW(List<Tensor> parameters, double rate) {
        var options = new AdamWOptions(rate);
        options.weight_decay().put(WEIGHT_DECAY);
        return new AdamW(vector(parameters), options);
    }

    private static TensorVector vector(List<Tensor> tensors) {
        return new TensorVector(tensors.toArray(Tensor[]::new));
    }

    @Override
    public float step(int number) {
        try (var _ = new PointerScope()) {
            update.forget();
            Tensor logits = net.logits(inputs[number % inputs.length]);
            Tensor loss = cross_entropy_loss(logits.reshape(-1, logits.size(-1)), labels[number % labels.length]);
            loss.backward();
            update.step();
            return loss.item_float();
        }
    }

    /** The update alone, with the gradients of the last step. */
    public void updateAgain() {
        update.step();
    }

    @Override
    public void close() {
        update.close();
        for (Tensor tensor : inputs) {
            tensor.close();
        }
        for (Tensor tensor : labels) {
            tensor.close();
        }
    }
}
