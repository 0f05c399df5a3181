package io.kingfisher.runtime.reference;

import io.kingfisher.runtime.graph.Attention;
import io.kingfisher.runtime.graph.AttentionGrad;
import io.kingfisher.runtime.graph.BatchNorm;
import io.kingfisher.runtime.graph.BatchNormGrad;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Conv2dInputGrad;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Detach;
import io.kingfisher.runtime.graph.Gather;
import io.kingfisher.runtime.graph.LayerNorm;
import io.kingfisher.runtime.graph.LayerNormGrad;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.MatMul;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.Random;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.ScatterAdd;
import io.kingfisher.runtime.graph.Softmax;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropy;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropyGrad;
import io.kingfisher.runtime.graph.SoftmaxGrad;
import io.kingfisher.runtime.graph.Source;

/** Runs one node on arrays in row-major order. */
public final class Interpreter {
    private Interpreter() {}

    /** The node's results. They may share memory with the inputs, which nobody changes. */
    public static double[][] run(Node node, double[][] in) {
        return switch (node.op()) {
            case Source source -> throw new IllegalArgumentException("the program reads " + source);
            case Map map -> Elementwise.run(map, node, in);
            case Reduce reduce -> one(Reductions.run(reduce, node, in[0]));
            case Movement movement -> one(Movements.run(movement, node, in));
            case MatMul product -> one(Products.run(product, node, in[0], in[1]));
            case Conv2d conv -> one(Convolutions.forward(conv, node, in[0], in[1]));
            case Conv2dInputGrad conv -> one(Convolutions.inputGradient(conv, node, in[0], in[1]));
            case Conv2dWeightGrad conv -> one(Convolutions.weightGradient(conv, node, in[0], in[1]));
            case Pool pool -> Pools.run(pool, node, in);
            case Gather _ -> one(Tables.gather(node, in[0], in[1]));
            case ScatterAdd _ -> one(Tables.scatterAdd(node, in[0], in[1]));
            case Random random -> one(Philox.draw(random, in[0]));
            case LinearAlgebra op -> Factorizations.run(op, node, in);
            case Detach _ -> one(in[0]);
            case Attention op -> Attentions.forward(op, node, in);
            case AttentionGrad op -> Attentions.backward(op.forward(), node, in);
            case BatchNorm norm -> Norms.batch(norm, node, in);
            case BatchNormGrad norm -> Norms.batchGradient(norm, node, in);
            case LayerNorm norm -> Norms.layer(norm, node, in);
            case LayerNormGrad _ -> Norms.layerGradient(node, in);
            case Softmax _ -> one(Softmaxes.softmax(node, in[0]));
            case SoftmaxGrad _ -> one(Softmaxes.gradient(node, in[0], in[1]));
            case SoftmaxCrossEntropy loss -> Softmaxes.crossEntropy(loss, node, in[0], in[1]);
            case SoftmaxCrossEntropyGrad loss -> one(Softmaxes.crossEntropyGradient(loss, node, in));
        };
    }

    private static double[][] one(double[] result) {
        return new double[][] {result};
    }
}
