package io.kingfisher.optimizers.curvature;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Gradients;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.ScatterAdd;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * The diagonal of a layer's Fisher block in the basis of its factors' eigenvectors, without a basis in which that block is
 * ever stored: S = E[(Ug^T M Ua)^2] elementwise, M = sum over places of g a^T being the gradient of a sample (George et al.,
 * 2018, section 3). Inputs and gradients are rotated, not gradients of weights: for a convolution the eigenvectors are its
 * kernels.
 */
public final class BasisMoments {
    /** What M is where a layer is applied at several places (pixels, tokens) of a sample. */
    public enum Unit {
        /**
         * The sum over all places of a sample, the samples being what the first axis of the layer's input counts: exact.
         * An embedding's lookups, which would take a table for each sample, and several applications of one layer count
         * as {@link #PLACES}.
         */
        SAMPLES,
        /** Each place is a sample of its own, as K-FAC's G has it: products of squares, and no gradient of a sample. */
        PLACES
    }

    /** The elements that may be made at a time. */
    private static final long CHUNK = 1 << 24;

    private final LayerMatrix layer;
    private final Eigenbasis basis;
    private final Unit unit;

    private BasisMoments(LayerMatrix layer, Eigenbasis basis, Unit unit) {
        this.layer = layer;
        this.basis = basis;
        this.unit = unit;
    }

    /** S [groups x outputs x inputs] of any layer but a norm. */
    public static Value of(
            LayerMatrix layer, Eigenbasis basis, Gradients gradients, List<LabelSource.Draw> draws, Unit unit) {
        BasisMoments moments = new BasisMoments(layer, basis, unit);
        List<Value> parts = new ArrayList<>();
        for (LabelSource.Draw draw : draws) {
            for (Capture capture : layer.captures()) {
                Value g = draw.gradients().get(capture), part = moments.squares(capture, g);
                parts.add(part.mul(draw.weight()));
            }
        }
        return layer.graph().sum(parts).div(gradients.samples());
    }

    /** The sum over samples of the squares. */
    private Value squares(Capture capture, Value g) {
        Graph graph = g.graph();
        Value squares = switch (capture) {
            case Capture.Embedding c -> {
                long tokens = c.a().shape().elements();
                Value rotated = g.reshape(tokens, layer.outputs()).matmul(matrix(basis.outputVectors(graph)));
                yield graph.add(new ScatterAdd(layer.inputs()), c.a().reshape(tokens), rotated.square())
                        .output(0)
                        .t();
            }
            case Capture.Linear c
            when layer.kind() == LayerMatrix.Kind.EMBEDDING -> {
                // Seen from the table, the features are its outputs and the words its inputs.
                Value rotated = c.matrix(c.a()).matmul(matrix(basis.outputVectors(graph)));
                yield rotated.square().matmul(c.matrix(g).square(), true, false);
            }
            case Capture.Linear c -> linear(c, g);
            case Capture.Conv2d c -> convolution(c, g);
            default ->
                throw new KingfisherException("The layer of " + layer.path() + " (" + layer.kind()
                        + ") has no factors whose eigenvectors could be a basis.");
        };
        return squares.reshape(layer.groups(), layer.outputs(), layer.inputs());
    }

    private static Value matrix(Value vectors) {
        return vectors.reshape(vectors.dim(-2), vectors.dim(-1));
    }

    private Value linear(Capture.Linear c, Value g) {
        long samples = c.a().rank() < 2 ? 1 : c.a().dim(0), places = c.rows() / Math.max(1, samples);
        Value ua = matrix(basis.inputVectors(g.graph()).orElseThrow());
        Value ug = matrix(basis.outputVectors(g.graph()));
        long width = c.a().dim(-1);
        Value body = c.matrix(c.a()).matmul(ua.slice(0, 0, width));
        Value a = layer.homogeneous() ? body.add(ua.slice(0, width, width + 1)) : body;
        Value rotated = c.matrix(g).matmul(ug);
        if (places == 1 || unit == Unit.PLACES) {
            return rotated.square().matmul(a.square(), true, false);
        }
        return sum(samples, layer.outputs() * layer.inputs(), (from, to) -> {
            Value left = rotated.slice(0, from * places, to * places).reshape(to - from, places, layer.outputs());
            Value right = a.slice(0, from * places, to * places).reshape(to - from, places, layer.inputs());
            return left.matmul(right, true, false).square().sum(0);
        });
    }

    private Value convolution(Capture.Conv2d c, Value g) {
        long groups = layer.groups(), o = layer.outputs(), i = layer.inputs();
        long width = i - (layer.homogeneous() ? 1 : 0), places = g.dim(2) * g.dim(3);
        Shape w = c.weight().shape();
        Value ua = basis.inputVectors(g.graph()).orElseThrow();
        Value patches = ua.slice(1, 0, width).t().reshape(groups * i, w.dim(1), w.dim(2), w.dim(3));
        Value channels = basis.outputVectors(g.graph()).t().reshape(groups * o, o, 1, 1);
        Convolution one = new Convolution(1, 1, 0, 0, 1, 1, c.window().groups());
        boolean whole = unit == Unit.SAMPLES && places > 1;
        return sum(g.dim(0), groups * i * (places + (whole ? o : 0)), (from, to) -> {
            Value body = convolved(new Conv2d(c.window()), c.a().slice(0, from, to), patches);
            Value a = layer.homogeneous() ? body.add(ua.slice(1, width, i).reshape(groups * i, 1, 1)) : body;
            Value rotated = convolved(new Conv2d(one), g.slice(0, from, to), channels);
            if (!whole) {
                Shape kernel = Shape.of(groups * o, i, 1, 1);
                return g.graph()
                        .add(new Conv2dWeightGrad(one, kernel), a.square(), rotated.square())
                        .output(0);
            }
            return rotated.reshape(to - from, groups, o, places)
                    .matmul(a.reshape(to - from, groups, i, places), false, true)
                    .square()
                    .sum(0);
        });
    }

    private static Value convolved(Conv2d op, Value image, Value kernel) {
        return image.graph().add(op, image, kernel).output(0);
    }

    /** What a part of the samples adds. */
    private interface Part {
        Value of(long from, long to);
    }

    /** The sum over all samples of what takes so many elements for each, a limited number at a time. */
    private static Value sum(long samples, long elements, Part part) {
        long step = Math.max(1, CHUNK / elements);
        Value total = part.of(0, Math.min(step, samples));
        for (long from = step; from < samples; from += step) {
            total = total.add(part.of(from, Math.min(from + step, samples)));
        }
        return total;
    }
}
