package io.kingfisher.optimizers;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** The tensors that an optimizer keeps from step to step, by name. Saving them all and writing them back continues a run. */
public final class OptimizerState implements AutoCloseable {
    private final Device device;
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    OptimizerState(Device device) {
        this.device = device;
    }

    /**
     * The tensor of a name, made on first use.
     *
     * @param initial what every element begins as
     */
    public Tensor tensor(String name, DType dtype, Shape shape, double initial) {
        Tensor known = tensors.get(name);
        if (known == null) {
            known = device.allocate(dtype, shape);
            known.fill(initial);
            tensors.put(name, known);
        } else if (known.dtype() != dtype || !known.shape().equals(shape)) {
            throw new KingfisherException("The optimizer state '" + name + "' is " + known.dtype() + known.shape()
                    + ", not " + dtype + shape + ".");
        }
        return known;
    }

    /** All tensors by name, in the order in which they were made. */
    public Map<String, Tensor> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    @Override
    public void close() {
        tensors.values().forEach(Tensor::close);
    }
}
