package io.kingfisher.bench.step;

import static org.bytedeco.pytorch.global.torch.cat;
import static org.bytedeco.pytorch.global.torch.constant_pad_nd;
import static org.bytedeco.pytorch.global.torch.ones;
import static org.bytedeco.pytorch.global.torch.where;
import static org.bytedeco.pytorch.global.torch.zeros_like;

import io.kingfisher.bench.step.StepEngine.Refresh;
import io.kingfisher.bench.step.TorchNet.Seen;
import io.kingfisher.optimizers.AdaFisherConfig;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Optimizer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/**
 * AdaFisher in libtorch's operations, as somebody would write it there: the same equations and settings as
 * {@link io.kingfisher.optimizers.AdaFisher} in mode {@code released}, every one an operation on whole tensors. A
 * convolution's input factor comes from its patches, a row for each place of each sample. Only steps that refresh keep the
 * inputs of layers and the gradients of their outputs.
 */
final class TorchAdaFisher implements TorchUpdate {
    private record Moving(Tensor parameter, Tensor momentum) {}

    /**
     * @param h the averaged diagonal of the inputs, with the bias's at its end
     * @param s that of the outputs' gradients
     * @param bias null where there is none
     */
    private record Factors(Tensor h, Tensor s, Moving weight, Moving bias) {}

    private final AdaFisherConfig config;
    private final double rate;
    private final Refresh refresh;
    private final Optimizer forgetting;
    private final Map<String, Moving> moving = new HashMap<>();
    private final Map<String, Factors> factors = new HashMap<>();
    private final List<Seen> seen = new ArrayList<>();
    private int steps;

    /**
     * @param variables all of them by path; those that take gradients are updated
     * @param forgetting an optimizer of the same parameters, for its way to forget gradients
     */
    TorchAdaFisher(
            AdaFisherConfig config, double rate, Refresh refresh, Map<String, Tensor> variables, Optimizer forgetting) {
        this.config = config;
        this.rate = rate;
        this.refresh = refresh;
        this.forgetting = forgetting;
        variables.forEach((path, tensor) -> {
            if (tensor.requires_grad()) {
                moving.put(path, new Moving(tensor, zeros_like(tensor)));
            }
        });
    }

    /** Looks at a layer while its step is under way. */
    void see(Seen layer) {
        factors.computeIfAbsent(layer.weight(), _ -> factors(layer));
        if (refreshing()) {
            layer.y().retain_grad();
            seen.add(layer);
        }
    }

    private Factors factors(Seen layer) {
        try (var _ = new PointerScope()) {
            Moving weight = moving.get(layer.weight()), bias = moving.get(layer.bias());
            long outputs = weight.parameter().size(0);
            long inputs = (layer.normalizes() ? 1 : weight.parameter().numel() / outputs) + (bias == null ? 0 : 1);
            return new Factors(ones(inputs).retainReference(), ones(outputs).retainReference(), weight, bias);
        }
    }

    private boolean refreshing() {
        return switch (refresh) {
            case SCHEDULED -> steps % config.refreshInterval() == 0;
            case NEVER -> false;
            case ALWAYS -> true;
        };
    }

    @Override
    public void forget() {
        forgetting.zero_grad();
    }

    @Override
    public void step() {
        try (var _ = new NoGradGuard();
                var _ = new PointerScope()) {
            for (Seen layer : seen) {
                Factors of = factors.get(layer.weight());
                average(of.h(), inputs(layer));
                average(of.s(), outputs(layer));
            }
            seen.clear();
            steps++;
            Scalar size = new Scalar(-rate / (1 - Math.pow(config.beta(), steps)));
            Map<String, Moving> rest = new HashMap<>(moving);
            factors.forEach((path, of) -> {
                Tensor f = of.s().unsqueeze(1).mul(of.h()).add_(new Scalar(config.lambda()));
                rest.remove(path);
                long columns = f.size(1) - (of.bias() == null ? 0 : 1);
                update(
                        of.weight(),
                        f.narrow(1, 0, columns).reshape(of.weight().parameter().shape()),
                        size);
                if (of.bias() != null) {
                    rest.values().remove(of.bias());
                    update(of.bias(), f.select(1, columns), size);
                }
            });
            // What has no rule, as an embedding, is divided by the damping alone.
            Tensor lambda = ones(1).mul_(new Scalar(config.lambda()));
            rest.values().forEach(each -> update(each, lambda, size));
        }
    }

    private void update(Moving of, Tensor f, Scalar size) {
        Tensor p = of.parameter(), g = p.grad();
        if (config.decoupled()) {
            p.mul_(new Scalar(1 - rate * StepEngine.WEIGHT_DECAY));
        } else {
            g = g.add(p, new Scalar(StepEngine.WEIGHT_DECAY));
        }
        of.momentum().mul_(new Scalar(config.beta())).add_(g, new Scalar(1 - config.beta()));
        p.addcdiv_(of.momentum(), f, size);
    }

    /** Scales a fresh diagonal to [0, 1] and takes it into the average. */
    private void average(Tensor average, Tensor fresh) {
        Tensor x = where(fresh.isinf(), ones(1), fresh);
        Tensor low = x.min(), range = x.max().sub(low);
        x = x.sub(low).div_(range.add(new Scalar(1e-6)));
        average.mul_(new Scalar(0.1 * config.gamma())).add_(x, new Scalar(0.01 * config.gamma()));
    }

    /** The second moments of a layer's inputs, the bias's constant one last. */
    private static Tensor inputs(Seen layer) {
        Tensor x = layer.x().detach();
        return switch (layer.kind()) {
            case LINEAR -> moments(layer, x.reshape(-1, x.size(-1)), 1);
            case CONVOLUTION -> {
                Tensor rows = patches(layer, x);
                yield moments(layer, rows, rows.size(1));
            }
            case BATCH_NORM, LAYER_NORM -> {
                double batch = x.size(0), size = (double) x.numel() / (x.size(0) * x.size(1));
                Tensor sums = x.sum(x.dim() == 4 ? new long[] {0, 2, 3} : new long[] {0, 2});
                Tensor means = sums.div(new Scalar(size * size * batch));
                yield cat(
                        new TensorVector(
                                means.square().sum().reshape(1),
                                ones(1).mul_(new Scalar(means.numel() / (batch * batch)))),
                        0);
            }
        };
    }

    private static Tensor moments(Seen layer, Tensor rows, double divisor) {
        Tensor means = rows.square().mean(0).div_(new Scalar(divisor));
        return layer.bias() == null ? means : cat(new TensorVector(means, ones(1).div_(new Scalar(divisor))), 0);
    }

    /** The patches of a square window: a row for each place of each sample. */
    private static Tensor patches(Seen layer, Tensor x) {
        long p = layer.padding(), kernel = layer.window();
        Tensor padded = p == 0 ? x : constant_pad_nd(x, p, p, p, p);
        return padded.unfold(2, kernel, layer.stride())
                .unfold(3, kernel, layer.stride())
                .permute(0, 2, 3, 1, 4, 5)
                .reshape(-1, x.size(1) * kernel * kernel);
    }

    private static Tensor outputs(Seen layer) {
        Tensor g = layer.y().grad();
        return switch (layer.kind()) {
            case LINEAR -> g.reshape(-1, g.size(-1)).square().mean(0);
            case CONVOLUTION -> g.square().mean(0, 2, 3);
            case BATCH_NORM -> g.sum(0, 2, 3).square().div_(new Scalar((double) g.size(0)));
            case LAYER_NORM -> g.sum(0, 1).square().div_(new Scalar((double) g.size(0)));
        };
    }

    @Override
    public void close() {
        forgetting.close();
    }
}
