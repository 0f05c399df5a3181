package io.kingfisher.runtime.cuda.math;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.cuda.math.MathLibraries.Attention;

/** Attention and its gradient, a query at a time. */
final class PlainAttention {
    private final Attention a;
    private final int queries;
    private final int keys;
    private final int width;
    private final int matrices;
    private final DType statistics;

    PlainAttention(Attention a) {
        this.a = a;
        this.queries = (int) a.queries();
        this.keys = (int) a.keys();
        this.width = (int) a.width();
        this.matrices = Math.toIntExact(a.batch() * a.heads());
        this.statistics = a.dtype().computeType();
    }

    private double[] read(long address, int length) {
        return HostNumbers.read(a.dtype(), address, (long) matrices * length * width);
    }

    private int seen(int query) {
        return a.causal() ? Math.min(keys, query + 1) : keys;
    }

    private static double dot(double[] x, int atX, double[] y, int atY, int count) {
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += x[atX + i] * y[atY + i];
        }
        return sum;
    }

    void forward(long[] at) {
        double[] q = read(at[0], queries), k = read(at[1], keys), v = read(at[2], keys);
        double[] out = new double[q.length], lse = new double[matrices * queries];
        double[] scores = new double[keys];
        for (int row = 0; row < lse.length; row++) {
            int first = row / queries * keys * width, count = seen(row % queries);
            double largest = Double.NEGATIVE_INFINITY, sum = 0;
            for (int j = 0; j < count; j++) {
                scores[j] = a.scale() * dot(q, row * width, k, first + j * width, width);
                largest = Math.max(largest, scores[j]);
            }
            for (int j = 0; j < count; j++) {
                double weight = Math.exp(scores[j] - largest);
                sum += weight;
                for (int c = 0; c < width; c++) {
                    out[row * width + c] += weight * v[first + j * width + c];
                }
            }
            for (int c = 0; c < width; c++) {
                out[row * width + c] /= sum;
            }
            lse[row] = largest + Math.log(sum);
        }
        HostNumbers.write(a.dtype(), at[3], out);
        HostNumbers.write(statistics, at[4], lse);
    }

    void backward(long[] at) {
        double[] q = read(at[0], queries), k = read(at[1], keys), v = read(at[2], keys);
        double[] out = read(at[3], queries), dOut = read(at[5], queries);
        double[] lse = HostNumbers.read(statistics, at[4], (long) matrices * queries);
        double[] dq = new double[q.length], dk = new double[k.length], dv = new double[v.length];
        for (int row = 0; row < lse.length; row++) {
            int mine = row * width, first = row / queries * keys * width;
            double inner = dot(out, mine, dOut, mine, width);
            for (int j = 0; j < seen(row % queries); j++) {
                int other = first + j * width;
                double weight = Math.exp(a.scale() * dot(q, mine, k, other, width) - lse[row]);
                double slope = a.scale() * weight * (dot(dOut, mine, v, other, width) - inner);
                for (int c = 0; c < width; c++) {
                    dv[other + c] += weight * dOut[mine + c];
                    dq[mine + c] += slope * k[other + c];
                    dk[other + c] += slope * q[mine + c];
                }
            }
        }
        HostNumbers.write(a.dtype(), at[6], dq);
        HostNumbers.write(a.dtype(), at[7], dk);
        HostNumbers.write(a.dtype(), at[8], dv);
    }
}
