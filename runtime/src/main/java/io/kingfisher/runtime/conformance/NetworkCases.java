package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.BatchNorm;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.LayerNorm;
import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropy;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Whole training steps of small networks, several in a row. */
final class NetworkCases {
    private NetworkCases() {}

    static List<Case> cases() {
        return List.of(
                training("LeNet", NetworkCases::leNet),
                training("residual network", NetworkCases::residual),
                training("transformer", NetworkCases::transformer));
    }

    private static Case training(String name, Case.Recipe recipe) {
        return Case.of("training of a " + name, recipe, Tolerance.SUM)
                .replayed(3)
                .conditioned();
    }

    /** Parameters of a network, and stochastic gradient descent with momentum on them. */
    private static final class Net {
        private final Recording r;
        private final SplittableRandom random = new SplittableRandom(12);
        private final List<Tensor> parameters = new ArrayList<>();
        private final List<Value> values = new ArrayList<>();

        Net(Recording r) {
            this.r = r;
        }

        Value parameter(double bound, long... shape) {
            Operand start = Operand.between(random, -bound, bound, DType.F32, shape);
            Tensor tensor = r.tensor("p" + parameters.size(), DType.F32, start.shape(), start.values());
            parameters.add(tensor);
            values.add(r.graph.read(tensor));
            return values.get(values.size() - 1);
        }

        Value images(long... shape) {
            double[][] batches = new double[3][];
            for (int i = 0; i < batches.length; i++) {
                batches[i] = Operand.random(random, DType.F32, shape).values();
            }
            return r.input("x", DType.F32, Shape.of(shape), batches);
        }

        Value conv(Value x, int outs, int kernel, int stride, int padding) {
            double bound = 1 / Math.sqrt(x.dim(1) * kernel * kernel);
            Value w = parameter(bound, outs, x.dim(1), kernel, kernel);
            return r.graph
                    .add(new Conv2d(Convolution.of(stride, padding, 1, 1)), x, w)
                    .output(0);
        }

        Value bias(Value x) {
            return x.add(parameter(0.1, x.dim(1)).reshape(-1, 1, 1));
        }

        Value norm(Value x) {
            Value scale = parameter(0.5, x.dim(1)).add(1), shift = parameter(0.1, x.dim(1));
            return r.graph.add(new BatchNorm(1e-5), x, scale, shift).output(0);
        }

        Value layerNorm(Value x) {
            Value scale = parameter(0.5, x.dim(-1)).add(1), shift = parameter(0.1, x.dim(-1));
            return r.graph.add(new LayerNorm(1e-5), x, scale, shift).output(0);
        }

        Value linear(Value x, int outs) {
            double bound = 1 / Math.sqrt(x.dim(-1));
            return x.matmul(parameter(bound, outs, x.dim(-1)), false, true).add(parameter(bound, outs));
        }

        Value maxPool(Value x) {
            return r.graph.add(new Pool.MaxPool2d(Pool.Window.of(2, 2, 0)), x).output(0);
        }

        /** Records loss, gradients and update. */
        void train(Value logits, int... labels) {
            Value y = r.input("labels", Operand.integers(new long[] {labels.length}, labels));
            Value loss = r.graph
                    .add(new SoftmaxCrossEntropy(0.1, -1), logits, y)
                    .output(0)
                    .mean();
            List<Value> gradients = Autodiff.gradients(loss, values);
            r.graph.output("loss", loss);
            for (int i = 0; i < parameters.size(); i++) {
                Tensor p = parameters.get(i);
                Tensor m = r.tensor("m" + i, DType.F32, p.shape(), new double[(int) p.elements()]);
                Value moment = r.graph.read(m).mul(0.9).add(gradients.get(i));
                r.graph.assign(m, moment);
                r.graph.assign(p, values.get(i).sub(moment.mul(0.05)));
            }
        }
    }

    private static void leNet(Recording r) {
        Net net = new Net(r);
        Value x = net.images(4, 1, 28, 28);
        x = net.maxPool(net.bias(net.conv(x, 6, 5, 1, 2)).relu());
        x = net.maxPool(net.bias(net.conv(x, 16, 5, 1, 0)).relu());
        x = net.linear(x.reshape(4, -1), 120).relu();
        x = net.linear(x, 84).relu();
        net.train(net.linear(x, 10), 3, 0, 9, 9);
    }

    private static void residual(Recording r) {
        Net net = new Net(r);
        Value x = net.norm(net.conv(net.images(3, 3, 9, 7), 8, 3, 1, 1)).relu();
        Value y = net.norm(net.conv(x, 12, 3, 2, 1)).relu();
        y = net.norm(net.conv(y, 12, 3, 1, 1));
        x = y.add(net.norm(net.conv(x, 12, 1, 2, 0))).relu();
        net.train(net.linear(x.mean(2, 3), 5), 4, 0, 2);
    }

    private static void transformer(Recording r) {
        Net net = new Net(r);
        int batch = 2, tokens = 5, heads = 2, width = 8;
        Value table = net.parameter(1, 11, width);
        Value ids = r.input("ids", Operand.integers(new long[] {batch, tokens}, 0, 10, 3, 3, 7, 1, 2, 3, 4, 5));
        Value x = table.gather(ids).add(net.parameter(0.5, tokens, width));
        Value h = net.layerNorm(x);
        Value[] parts = new Value[3];
        for (int i = 0; i < 3; i++) {
            parts[i] = net.linear(h, width)
                    .reshape(batch, tokens, heads, width / heads)
                    .transpose(0, 2, 1, 3);
        }
        Value weights = parts[0].matmul(parts[1], false, true).mul(0.5).softmax();
        Value mixed = weights.matmul(parts[2]).transpose(0, 2, 1, 3).reshape(batch, tokens, width);
        x = x.add(net.linear(mixed, width));
        Value wide = net.linear(net.layerNorm(x), 16);
        var e = io.kingfisher.runtime.graph.Expr.arg(0);
        Value gelu = wide.map(e.mul(0.5).mul(e.mul(Math.sqrt(0.5)).erf().add(1)));
        x = net.layerNorm(x.add(net.linear(gelu, width)));
        net.train(x.reshape(-1, width).matmul(table, false, true), 10, 3, 3, 7, 0, 2, 3, -1, 5, 6);
    }
}
