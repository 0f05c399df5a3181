package io.kingfisher.layers;

import io.kingfisher.runtime.graph.Value;

/** What training makes small: recorded from a model's prediction and what was wanted. */
public sealed interface Loss permits CrossEntropy, MeanSquaredError, BinaryCrossEntropy {
    LossValue apply(Recording r, Value prediction, Value target);
}
