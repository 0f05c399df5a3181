package io.kingfisher.layers.models;

import io.kingfisher.layers.Conv2d;
import io.kingfisher.layers.Flatten;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.MaxPool2d;
import io.kingfisher.layers.Recording;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Value;

/** LeNet-5 (LeCun et al., 1998) with ReLU and max pooling; images of 12x12 and more, 28x28 as in the paper's data. */
final class LeNet extends Layer {
    private final Conv2d conv1, conv2;
    private final Linear fc1, fc2, fc3;
    private final Layer flatten = new Flatten(), pool = new MaxPool2d(2);

    LeNet(Shape input, int classes) {
        if (input.rank() != 3 || input.dim(1) < 12 || input.dim(2) < 12) {
            throw new KingfisherException(
                    "The model lenet takes images [C x H x W] of at least 12x12, not " + input + ".");
        }
        conv1 = child("conv1", new Conv2d(input.dim(0), 6, 5, 1, 2));
        conv2 = child("conv2", new Conv2d(6, 16, 5, 1, 0));
        fc1 = child("fc1", new Linear(16 * side(input.dim(1)) * side(input.dim(2)), 120));
        fc2 = child("fc2", new Linear(120, 84));
        fc3 = child("fc3", new Linear(84, classes));
    }

    /** What both convolutions and poolings leave of an extent. */
    private static long side(long extent) {
        return (extent / 2 - 4) / 2;
    }

    @Override
    protected Value forward(Recording r, Value x) {
        Value y = pool.apply(r, conv1.apply(r, x).relu());
        y = pool.apply(r, conv2.apply(r, y).relu());
        y = fc1.apply(r, flatten.apply(r, y)).relu();
        return fc3.apply(r, fc2.apply(r, y).relu());
    }
}
