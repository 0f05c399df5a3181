package io.kingfisher.layers.models;

import io.kingfisher.layers.Activation;
import io.kingfisher.layers.BatchNorm2d;
import io.kingfisher.layers.Conv2d;
import io.kingfisher.layers.Flatten;
import io.kingfisher.layers.GlobalAvgPool;
import io.kingfisher.layers.Initializer;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Sequential;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Residual networks (He et al., 2016) for small images: a 3x3 stem without pooling, then four stages. Names and initial
 * values are torchvision's; the stride of a bottleneck is in its 3x3 convolution.
 */
final class ResNet {
    private ResNet() {}

    static Layer cifar(int depth, Shape input, int classes, Sizes sizes) {
        if (input.rank() != 3 || input.elements() == 0) {
            throw new KingfisherException(
                    "The model resnet" + depth + "Cifar takes images [C x H x W], not " + input + ".");
        }
        int width = sizes.count("width", 64);
        boolean bottleneck = depth >= 50;
        int[] blocks = depth == 18 ? new int[] {2, 2, 2, 2} : new int[] {3, 4, 6, 3};
        Sequential model = new Sequential()
                .add("conv1", conv(input.dim(0), width, 3, 1))
                .add("bn1", new BatchNorm2d(width))
                .add("relu", Activation.relu());
        long in = width;
        for (int stage = 0; stage < blocks.length; stage++) {
            long planes = (long) width << stage;
            Sequential layer = new Sequential();
            for (int i = 0; i < blocks[stage]; i++) {
                Block block = new Block(in, planes, stage > 0 && i == 0 ? 2 : 1, bottleneck);
                in = block.out;
                layer.add(block);
            }
            model.add("layer" + (stage + 1), layer);
        }
        return model.add("avgpool", new GlobalAvgPool())
                .add("flatten", new Flatten())
                .add("fc", new Linear(in, classes));
    }

    /** A convolution that keeps the extent at stride 1, without bias, as a batch norm follows. */
    private static Conv2d conv(long in, long out, int kernel, int stride) {
        Conv2d conv = new Conv2d(in, out, kernel, kernel, Convolution.of(stride, kernel / 2, 1, 1), false);
        conv.weight().initializer(Initializer.kaimingNormalFanOut());
        return conv;
    }

    /** ReLU of the shortcut plus two 3x3 convolutions, or 1x1, 3x3 and 1x1 with four times as many channels at the end. */
    private static final class Block extends Layer {
        private final long out;
        private final List<Conv2d> convs = new ArrayList<>();
        private final List<BatchNorm2d> norms = new ArrayList<>();
        private final Optional<Layer> shortcut;

        Block(long in, long planes, int stride, boolean bottleneck) {
            out = bottleneck ? 4 * planes : planes;
            if (bottleneck) {
                append(conv(in, planes, 1, 1));
                append(conv(planes, planes, 3, stride));
                append(conv(planes, out, 1, 1));
            } else {
                append(conv(in, planes, 3, stride));
                append(conv(planes, planes, 3, 1));
            }
            shortcut = stride == 1 && in == out
                    ? Optional.empty()
                    : Optional.of(child("downsample", new Sequential(conv(in, out, 1, stride), new BatchNorm2d(out))));
        }

        private void append(Conv2d conv) {
            int index = convs.size() + 1;
            convs.add(child("conv" + index, conv));
            norms.add(child("bn" + index, new BatchNorm2d(conv.weight().shape().dim(0))));
        }

        @Override
        protected Value forward(Recording r, Value x) {
            Value y = x;
            for (int i = 0; i < convs.size(); i++) {
                y = norms.get(i).apply(r, convs.get(i).apply(r, i == 0 ? x : y.relu()));
            }
            return y.add(shortcut.isPresent() ? shortcut.get().apply(r, x) : x).relu();
        }
    }
}
