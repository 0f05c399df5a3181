package io.kingfisher.optimizers.adafisher;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;

/** Makes the tensors in which curvature is kept, or finds them again by name. */
@FunctionalInterface
public interface StateSource {
    Tensor tensor(String name, Shape shape, double initial);
}
