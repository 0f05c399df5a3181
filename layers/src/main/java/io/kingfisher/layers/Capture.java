package io.kingfisher.layers;

import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Value;
import java.util.Optional;

/**
 * What one application of a layer with parameters saw: its input a and its output s before any activation. With
 * {@link Gradients#of(Capture) ds} these are all that curvature approximations need. A layer applied several times has a
 * capture for each; a packed projection (query, key and value of attention) is one {@link Linear}.
 */
public sealed interface Capture {
    /** The layer that was applied. */
    Layer layer();

    /** The parameter that meets the input: a matrix, a kernel, a scale or a table. */
    Parameter weight();

    /** What is added, if anything. */
    Optional<Parameter> bias();

    /** The input. */
    Value a();

    /** The output before any activation. */
    Value s();

    /**
     * s = a weight^T + bias: a [... x I], s [... x O], weight [O x I]. All leading axes count as rows: samples, or samples
     * and positions.
     */
    record Linear(Layer layer, Parameter weight, Optional<Parameter> bias, Value a, Value s) implements Capture {
        /** The number of rows. */
        public long rows() {
            return a.shape().elements() / a.dim(-1);
        }

        /** A value of the shape of a or s as a matrix with one row for each of these. */
        public Value matrix(Value v) {
            return v.reshape(rows(), v.dim(-1));
        }
    }

    /** s = a * weight + bias: a [N x C x H x W], s [N x O x H' x W'], weight [O x C/groups x KH x KW]. */
    record Conv2d(Layer layer, Parameter weight, Optional<Parameter> bias, Value a, Value s, Convolution window)
            implements Capture {}

    /**
     * s = normalized(a) weight + bias by channel: a and s [N x C x H x W], weight and bias [C].
     *
     * @param mean the batch's mean [C]
     * @param variance the batch's biased variance [C]
     */
    record BatchNorm2d(
            Layer layer,
            Parameter weight,
            Optional<Parameter> bias,
            Value a,
            Value s,
            Value mean,
            Value variance,
            double epsilon)
            implements Capture {
        /** What the weight meets: (a - mean) / sqrt(variance + epsilon), recorded anew on each call. */
        public Value normalized() {
            long channels = a.dim(1);
            Value rstd = variance.add(epsilon).pow(-0.5);
            return a.sub(mean.reshape(channels, 1, 1)).mul(rstd.reshape(channels, 1, 1));
        }
    }

    /**
     * s = normalized(a) weight + bias over the last axis: a and s [... x D], weight and bias [D].
     *
     * @param mean each row's mean [...]
     * @param rstd the reciprocal of each row's standard deviation [...]
     */
    record LayerNorm(Layer layer, Parameter weight, Optional<Parameter> bias, Value a, Value s, Value mean, Value rstd)
            implements Capture {
        /** What the weight meets: (a - mean) rstd, recorded anew on each call. */
        public Value normalized() {
            return a.sub(column(mean)).mul(column(rstd));
        }

        private static Value column(Value perRow) {
            return perRow.reshape(perRow.shape().concat(io.kingfisher.runtime.Shape.of(1)));
        }
    }

    /** s = rows of weight: indices a I32 [...], s [... x D], weight [V x D]; no bias. */
    record Embedding(Layer layer, Parameter weight, Value a, Value s) implements Capture {
        @Override
        public Optional<Parameter> bias() {
            return Optional.empty();
        }
    }
}
