package io.kingfisher.optimizers.matrixfree;

import io.kingfisher.runtime.graph.Value;

/** A symmetric matrix [P x P] that is known by its products: records A v for a vector v, F32 [P], in the vector's graph. */
@FunctionalInterface
public interface LinearOperator {
    Value times(Value vector);
}
