package io.kingfisher.runtime.cpu;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.BatchNorm;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropy;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Small networks recorded by hand, with one step of SGD with momentum: inputs x and label, output loss. */
public final class Net {
    public final Device device;
    public final Graph graph = new Graph();
    public final List<Tensor> parameters = new ArrayList<>();
    public final List<Tensor> momenta = new ArrayList<>();
    private final List<Value> values = new ArrayList<>();
    private final Random random = new Random(7);

    public Net(Device device) {
        this.device = device;
    }

    public Value parameter(double deviation, double mean, long... extents) {
        Tensor tensor = device.allocate(DType.F32, Shape.of(extents));
        for (long i = 0; i < tensor.elements(); i++) {
            tensor.set(i, mean + random.nextGaussian() * deviation);
        }
        Value value = graph.read(tensor);
        parameters.add(tensor);
        momenta.add(device.allocate(DType.F32, Shape.of(extents)));
        values.add(value);
        return value;
    }

    public Value linear(Value x, int out) {
        long in = x.dim(-1);
        Value w = parameter(1 / Math.sqrt(in), 0, out, in);
        return x.matmul(w, false, true).add(parameter(0.1, 0, out));
    }

    public Value conv(Value x, int out, int kernel, int stride, int padding, int groups) {
        long in = x.dim(1) / groups;
        Value w = parameter(1 / Math.sqrt(in * kernel * kernel), 0, out, in, kernel, kernel);
        return graph.add(new Conv2d(Convolution.of(stride, padding, 1, groups)), x, w)
                .output(0);
    }

    public Value bias(Value x) {
        long c = x.dim(1);
        return x.add(parameter(0.1, 0, c).reshape(c, 1, 1));
    }

    public Value batchNorm(Value x) {
        long c = x.dim(1);
        return graph.add(new BatchNorm(1e-5), x, parameter(0.1, 1, c), parameter(0.1, 0, c))
                .output(0);
    }

    public Value maxPool(Value x, int kernel, int stride, int padding) {
        return graph.add(new Pool.MaxPool2d(Pool.Window.of(kernel, stride, padding)), x)
                .output(0);
    }

    /** The mean cross-entropy and the update. */
    public Program train(Value logits, double lr) {
        int n = (int) logits.dim(0);
        Value label = graph.input("label", DType.I32, n);
        Value loss = graph.add(new SoftmaxCrossEntropy(0.1, -100), logits, label)
                .output(0)
                .mean();
        graph.output("loss", loss);
        List<Value> gradients = Autodiff.gradients(loss, values);
        for (int i = 0; i < values.size(); i++) {
            Value moved = graph.read(momenta.get(i)).mul(0.9).add(gradients.get(i));
            graph.assign(momenta.get(i), moved);
            graph.assign(parameters.get(i), values.get(i).sub(moved.mul(lr)));
        }
        return device.compile(graph);
    }

    public static Program mlp(Device device, int batch) {
        Net net = new Net(device);
        Value x = net.graph.input("x", DType.F32, batch, 784);
        return net.train(net.linear(net.linear(x, 128).relu(), 10), 0.1);
    }

    public static Net lenet(Device device) {
        return new Net(device);
    }

    public Program lenet(int batch) {
        Value x = graph.input("x", DType.F32, batch, 1, 28, 28);
        Value h = maxPool(bias(conv(x, 6, 5, 1, 2, 1)).relu(), 2, 2, 0);
        h = maxPool(bias(conv(h, 16, 5, 1, 0, 1)).relu(), 2, 2, 0);
        h = h.reshape(batch, -1);
        h = linear(linear(h, 120).relu(), 84).relu();
        return train(linear(h, 10), 0.05);
    }

    /** A residual network with batch norm: a stem and two blocks. */
    public Program residual(int batch, int channels, int size) {
        Value x = graph.input("x", DType.F32, batch, 3, size, size);
        Value h = batchNorm(conv(x, channels, 3, 1, 1, 1)).relu();
        Value a = batchNorm(conv(h, channels, 3, 1, 1, 1)).relu();
        h = batchNorm(conv(a, channels, 3, 1, 1, 1)).add(h).relu();
        Value b = batchNorm(conv(h, 2 * channels, 3, 2, 1, 1)).relu();
        b = batchNorm(conv(b, 2 * channels, 3, 1, 1, 1));
        h = b.add(batchNorm(conv(h, 2 * channels, 1, 2, 0, 1))).relu();
        h = maxPool(h, 3, 2, 1);
        return train(linear(h.mean(2, 3), 10), 0.05);
    }

    public static void feed(Program program, int classes, long seed) {
        Random random = new Random(seed);
        Tensor x = program.input("x"), label = program.input("label");
        for (long i = 0; i < x.elements(); i++) {
            x.set(i, random.nextGaussian());
        }
        for (long i = 0; i < label.elements(); i++) {
            label.set(i, random.nextInt(classes));
        }
    }
}
