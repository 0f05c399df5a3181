package io.kingfisher.layers;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;

/** A tensor that belongs to a layer and outlives every program. Two variables are equal only if they are the same object. */
public abstract sealed class Variable permits Parameter, Buffer {
    private final Layer layer;
    private final String name;
    private final DType dtype;
    private final Shape shape;
    private Tensor tensor;

    Variable(Layer layer, String name, DType dtype, Shape shape) {
        this.layer = layer;
        this.name = name;
        this.dtype = dtype;
        this.shape = shape;
    }

    /** The layer that owns it. */
    public final Layer layer() {
        return layer;
    }

    /** Its name in its layer, as {@code weight}. */
    public final String name() {
        return name;
    }

    /** Its name in the model, as {@code blocks.3.mlp.fc1.weight}: PyTorch's key in a {@code state_dict}. */
    public final String path() {
        return layer.path().isEmpty() ? name : layer.path() + "." + name;
    }

    public final DType dtype() {
        return dtype;
    }

    public final Shape shape() {
        return shape;
    }

    /**
     * Its memory.
     *
     * @throws KingfisherException before {@link Layer#initialize}
     */
    public final Tensor tensor() {
        if (tensor == null) {
            throw new KingfisherException(
                    path() + " has no memory yet; call initialize(device, seed) on the model before using it.");
        }
        return tensor;
    }

    final boolean allocated() {
        return tensor != null;
    }

    final void allocate(Device device) {
        tensor = device.allocate(dtype, shape);
    }

    final void free() {
        if (tensor != null) {
            tensor.close();
        }
    }

    /** Writes the initial numbers, drawn from {@code seed} and the path alone. */
    abstract void fill(long seed);

    @Override
    public final String toString() {
        return path() + " " + dtype + shape;
    }
}
