package io.kingfisher.runtime.reference;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Attention;
import io.kingfisher.runtime.graph.Node;

/** Attention and its gradient: for each query the weights of the keys that it sees, and what follows from them. */
final class Attentions {
    private Attentions() {}

    /** Told of a query: its number, its first key's number, the weights of its keys and the logarithm of their sum. */
    private interface Query {
        void visit(int query, int firstKey, double[] weights, double logSum);
    }

    private static void forEachQuery(Attention op, Node node, double[] q, double[] k, Query each) {
        Shape shape = node.input(0).shape();
        int queries = shape.size(2), keys = node.input(1).shape().size(2), width = shape.size(3);
        int count = shape.size(0) * shape.size(1) * queries;
        for (int query = 0; query < count; query++) {
            int first = query / queries * keys;
            double[] weights = new double[op.causal() ? Math.min(keys, query % queries + 1) : keys];
            double largest = Double.NEGATIVE_INFINITY, sum = 0;
            for (int j = 0; j < weights.length; j++) {
                weights[j] = op.scale() * dot(q, query, k, first + j, width);
                largest = Math.max(largest, weights[j]);
            }
            for (double score : weights) {
                sum += Math.exp(score - largest);
            }
            double logSum = largest + Math.log(sum);
            for (int j = 0; j < weights.length; j++) {
                weights[j] = Math.exp(weights[j] - logSum);
            }
            each.visit(query, first, weights, logSum);
        }
    }

    private static double dot(double[] a, int rowA, double[] b, int rowB, int width) {
        double sum = 0;
        for (int c = 0; c < width; c++) {
            sum += a[rowA * width + c] * b[rowB * width + c];
        }
        return sum;
    }

    private static void add(double scale, double[] from, int rowFrom, double[] to, int rowTo, int width) {
        for (int c = 0; c < width; c++) {
            to[rowTo * width + c] += scale * from[rowFrom * width + c];
        }
    }

    static double[][] forward(Attention op, Node node, double[][] in) {
        int width = node.input(0).shape().size(3);
        double[] output = new double[in[0].length];
        double[] sums = Movements.zeros(node.output(1).shape());
        forEachQuery(op, node, in[0], in[1], (query, first, weights, logSum) -> {
            sums[query] = logSum;
            for (int j = 0; j < weights.length; j++) {
                add(weights[j], in[2], first + j, output, query, width);
            }
        });
        return new double[][] {output, sums};
    }

    static double[][] backward(Attention op, Node node, double[][] in) {
        int width = node.input(0).shape().size(3);
        double[] q = in[0], k = in[1], v = in[2], dOutput = in[5];
        double[] dq = new double[q.length], dk = new double[k.length], dv = new double[v.length];
        forEachQuery(op, node, q, k, (query, first, weights, _) -> {
            double mean = 0;
            for (int j = 0; j < weights.length; j++) {
                mean += weights[j] * dot(dOutput, query, v, first + j, width);
            }
            for (int j = 0; j < weights.length; j++) {
                double slope = op.scale() * weights[j] * (dot(dOutput, query, v, first + j, width) - mean);
                add(weights[j], dOutput, query, dv, first + j, width);
                add(slope, k, first + j, dq, query, width);
                add(slope, q, query, dk, first + j, width);
            }
        });
        return new double[][] {dq, dk, dv};
    }
}
