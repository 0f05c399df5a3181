package io.kingfisher.layers;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.lang.foreign.MemorySegment;

/** What an optimizer changes: F32, trainable unless it is frozen. */
public final class Parameter extends Variable {
    private Initializer initializer;
    private boolean trainable = true;

    Parameter(Layer layer, String name, Shape shape, Initializer initializer) {
        super(layer, name, DType.F32, shape);
        this.initializer = initializer;
    }

    public boolean trainable() {
        return trainable;
    }

    /** Freezes the parameter for recordings that begin afterwards, or thaws it. */
    public void trainable(boolean value) {
        trainable = value;
    }

    /**
     * Replaces how the parameter begins.
     *
     * @throws KingfisherException after {@link Layer#initialize}
     */
    public void initializer(Initializer value) {
        if (allocated()) {
            throw new KingfisherException(
                    path() + " has been initialized already; set the initializer before, or write to its tensor.");
        }
        initializer = value;
    }

    @Override
    void fill(long seed) {
        float[] values = new float[Math.toIntExact(shape().elements())];
        initializer.fill(new Philox(seed, path()), shape(), values);
        tensor().write(MemorySegment.ofArray(values));
    }
}
