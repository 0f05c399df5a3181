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

    private final TorchNet net;
    private final Optimizer optimizer;
    private final Tensor[] inputs = new Tensor[Batches.INPUTS], labels = new Tensor[Batches.LABELS];

    /**
     * @param mkl whether products run on MKL, whose jar must then be there, rather than on OpenBLAS
     */
    public TorchEngine(Workload workload, Rule rule, int threads, Layout layout, boolean mkl) {
        if (mkl) {
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
        net = new TorchNet(workload, variables);
        optimizer = optimizer(rule, new TensorVector(trained.toArray(Tensor[]::new)));
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

    private static Optimizer optimizer(Rule rule, TensorVector parameters) {
        return switch (rule) {
            case SGD -> {
                var options = new SGDOptions(SGD_RATE);
                options.momentum().put(MOMENTUM);
                yield new SGD(parameters, options);
            }
            case ADAMW -> {
                var options = new AdamWOptions(ADAM_RATE);
                options.weight_decay().put(WEIGHT_DECAY);
                yield new AdamW(parameters, options);
            }
            case ADAFISHER ->
                throw new IllegalArgumentException("libtorch has no AdaFisher; choose SGD or ADAMW for it");
        };
    }

    @Override
    public float step(int number) {
        try (var _ = new PointerScope()) {
            optimizer.zero_grad();
            Tensor logits = net.logits(inputs[number % inputs.length]);
            Tensor loss = cross_entropy_loss(logits.reshape(-1, logits.size(-1)), labels[number % labels.length]);
            loss.backward();
            optimizer.step();
            return loss.item_float();
        }
    }

    @Override
    public void close() {
        optimizer.close();
        for (Tensor tensor : inputs) {
            tensor.close();
        }
        for (Tensor tensor : labels) {
            tensor.close();
        }
    }
}
