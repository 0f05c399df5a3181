package io.kingfisher.layers;

import io.kingfisher.runtime.graph.Value;

/** What a user records with a layer's captures: reduce, output or assign what the layer saw. */
@FunctionalInterface
public interface CaptureHook {
    /**
     * Called while recording, once for each capture.
     *
     * @param r the recording to add to
     * @param capture the layer's input and pre-activation output
     * @param ds the gradient of the loss with respect to {@link Capture#s()}, of its shape
     */
    void accept(Recording r, Capture capture, Value ds);
}
