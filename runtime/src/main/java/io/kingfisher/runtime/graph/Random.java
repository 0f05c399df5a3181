package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.Collections;
import java.util.List;

/**
 * F32 random numbers by Philox 4x32-10 (Salmon et al., SC 2011): a function of the state I32[4] = {seed low, seed high, step
 * low, step high}, the stream and the element's place alone. Element e uses word e mod 4 of the block with key {seed low,
 * seed high} and counter {e / 4, stream, step low, step high}.
 */
public record Random(Distribution distribution, int stream, Shape shape) implements Op {
    /** What a word w (unsigned) becomes. */
    public enum Distribution {
        /** (w >>> 8) * 2^-24: uniform on [0, 1). */
        UNIFORM,
        /**
         * Standard normal by Box and Muller from the words (w0, w1), and (w2, w3): r = sqrt(-2 log u), u = ((w0 >>> 8) + 1) *
         * 2^-24, angle 2 pi (w1 >>> 8) * 2^-24; r cos, then r sin.
         */
        NORMAL,
        /** -1 where the lowest bit is set, else 1. */
        RADEMACHER
    }

    @Override
    public List<Type> infer(List<Type> inputs) {
        if (!inputs.get(0).equals(Type.of(DType.I32, 4))) {
            throw new KingfisherException("The state of random numbers is I32[4], not " + inputs.get(0) + ".");
        }
        return List.of(new Type(DType.F32, shape));
    }

    @Override
    public List<Value> vjp(Node node, List<Value> gradients) {
        return Collections.singletonList(null);
    }
}
