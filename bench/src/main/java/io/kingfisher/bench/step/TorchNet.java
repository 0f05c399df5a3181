package io.kingfisher.bench.step;

import static org.bytedeco.pytorch.global.torch.adaptive_avg_pool2d;
import static org.bytedeco.pytorch.global.torch.batch_norm;
import static org.bytedeco.pytorch.global.torch.conv2d;
import static org.bytedeco.pytorch.global.torch.embedding;
import static org.bytedeco.pytorch.global.torch.gelu;
import static org.bytedeco.pytorch.global.torch.layer_norm;
import static org.bytedeco.pytorch.global.torch.linear;
import static org.bytedeco.pytorch.global.torch.max_pool2d;
import static org.bytedeco.pytorch.global.torch.relu;
import static org.bytedeco.pytorch.global.torch.scaled_dot_product_attention;

import io.kingfisher.train.workload.Workload;
import java.util.Map;
import java.util.function.Consumer;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;

/**
 * The forward passes of the workloads in libtorch's functions.
 *
 * @param variables parameters and running statistics by their paths
 * @param witness sees each layer with parameters as it is applied
 */
record TorchNet(Workload workload, Map<String, Tensor> variables, Consumer<Seen> witness) {
    /** What a layer does. */
    enum Kind {
        LINEAR,
        CONVOLUTION,
        BATCH_NORM,
        LAYER_NORM
    }

    /**
     * A layer that was applied.
     *
     * @param weight the path of its weight
     * @param bias the path of its bias, or null
     * @param x its input
     * @param y its output
     * @param window the width of a convolution's square window
     */
    record Seen(Kind kind, String weight, String bias, Tensor x, Tensor y, long window, long stride, long padding) {
        boolean normalizes() {
            return kind == Kind.BATCH_NORM || kind == Kind.LAYER_NORM;
        }
    }

    /** The logits of a batch: [N x classes], or [N x T x vocabulary]. */
    Tensor logits(Tensor x) {
        return switch (workload.name()) {
            case "mlp-small" -> dense("fc2", relu(dense("fc1", x.flatten(1, -1))));
            case "mlp-large" -> dense("fc3", relu(dense("fc2", relu(dense("fc1", x.flatten(1, -1))))));
            case "lenet" -> lenet(x);
            case "resnet18-cifar" -> resnet(x);
            case "gpt-mini" -> gpt(x);
            default -> throw new IllegalArgumentException("libtorch has no " + workload.name() + " here");
        };
    }

    private Tensor lenet(Tensor x) {
        Tensor y = halved(relu(conv("conv1", x, 1, 2)));
        y = halved(relu(conv("conv2", y, 1, 0))).flatten(1, -1);
        return dense("fc3", relu(dense("fc2", relu(dense("fc1", y)))));
    }

    private Tensor resnet(Tensor x) {
        Tensor y = relu(norm("bn1", conv("conv1", x, 1, 1)));
        for (int stage = 1; stage <= 4; stage++) {
            for (int block = 0; block < 2; block++) {
                String path = "layer" + stage + "." + block + ".";
                int stride = stage > 1 && block == 0 ? 2 : 1;
                Tensor z = relu(norm(path + "bn1", conv(path + "conv1", y, stride, 1)));
                z = norm(path + "bn2", conv(path + "conv2", z, 1, 1));
                Tensor shortcut = variables.containsKey(path + "downsample.0.weight")
                        ? norm(path + "downsample.1", conv(path + "downsample.0", y, stride, 0))
                        : y;
                y = relu(z.add(shortcut));
            }
        }
        return dense("fc", adaptive_avg_pool2d(y, 1, 1).flatten(1, -1));
    }

    private Tensor gpt(Tensor tokens) {
        Tensor y = embedding(variables.get("tokens.weight"), tokens)
                .add(variables.get("positions.weight").narrow(0, 0, tokens.size(1)));
        for (int i = 0; variables.containsKey("blocks." + i + ".norm1.weight"); i++) {
            String path = "blocks." + i + ".";
            y = y.add(attention(path + "attention.", rows(path + "norm1", y)));
            Tensor inner = gelu(dense(path + "mlp.fc1", rows(path + "norm2", y)));
            y = y.add(dense(path + "mlp.fc2", inner));
        }
        return dense("head", rows("norm", y));
    }

    private Tensor attention(String path, Tensor x) {
        int heads = 4;
        long batch = x.size(0), length = x.size(1), width = x.size(2);
        Tensor packed = dense(path + "in_proj_weight", path + "in_proj_bias", x);
        Tensor split = packed.reshape(batch, length, 3, heads, width / heads).permute(2, 0, 3, 1, 4);
        TensorVector qkv = split.unbind(0);
        Tensor y = scaled_dot_product_attention(
                qkv.get(0), qkv.get(1), qkv.get(2), new TensorOptional(), 0, true, new DoubleOptional(), false);
        return dense(path + "out_proj", y.transpose(1, 2).reshape(batch, length, width));
    }

    private Tensor dense(String path, Tensor x) {
        return dense(path + ".weight", path + ".bias", x);
    }

    private Tensor dense(String weight, String bias, Tensor x) {
        return seen(Kind.LINEAR, weight, bias, x, linear(x, variables.get(weight), some(bias)), 0, 0, 0);
    }

    private Tensor seen(
            Kind kind, String weight, String bias, Tensor x, Tensor y, long window, long stride, long padding) {
        String known = variables.containsKey(bias) ? bias : null;
        witness.accept(new Seen(kind, weight, known, x, y, window, stride, padding));
        return y;
    }

    private Tensor conv(String path, Tensor x, long stride, long padding) {
        Tensor weight = variables.get(path + ".weight");
        Tensor y = conv2d(
                x,
                weight,
                some(path + ".bias"),
                new long[] {stride, stride},
                new long[] {padding, padding},
                new long[] {1, 1},
                1);
        return seen(Kind.CONVOLUTION, path + ".weight", path + ".bias", x, y, weight.size(2), stride, padding);
    }

    private Tensor norm(String path, Tensor x) {
        Tensor y = batch_norm(
                x,
                some(path + ".weight"),
                some(path + ".bias"),
                some(path + ".running_mean"),
                some(path + ".running_var"),
                true,
                0.1,
                1e-5,
                true);
        return seen(Kind.BATCH_NORM, path + ".weight", path + ".bias", x, y, 0, 0, 0);
    }

    private Tensor rows(String path, Tensor x) {
        Tensor y = layer_norm(x, new long[] {x.size(2)}, some(path + ".weight"), some(path + ".bias"), 1e-5, false);
        return seen(Kind.LAYER_NORM, path + ".weight", path + ".bias", x, y, 0, 0, 0);
    }

    private static Tensor halved(Tensor x) {
        return max_pool2d(x, new long[] {2, 2}, new long[] {2, 2}, new long[] {0, 0}, new long[] {1, 1}, false);
    }

    private TensorOptional some(String path) {
        Tensor tensor = variables.get(path);
        return tensor == null ? new TensorOptional() : new TensorOptional(tensor);
    }
}
