package io.kingfisher.optimizers;

import java.util.function.UnaryOperator;

/**
 * {@link TestNet.Kind#MLP} on one batch in plain double loops: W2 tanh(W1 x + b1) with cross-entropy, as a function of all
 * parameters in one vector. Products with second derivatives are central differences of first ones.
 */
final class ReferenceMlp {
    static final int IN = 11, HIDDEN = 9, OUT = 5, SIZE = HIDDEN * IN + HIDDEN + OUT * HIDDEN;
    private static final int BIAS = HIDDEN * IN, SECOND = BIAS + HIDDEN;
    private static final double STEP = 1e-5;

    private final double[] x, y;
    final int batch;

    /**
     * @param x [batch x 11]
     * @param y the labels
     */
    ReferenceMlp(double[] x, double[] y) {
        this.x = x;
        this.y = y;
        batch = y.length;
    }

    private double[] hidden(double[] p, int n) {
        double[] h = new double[HIDDEN];
        for (int j = 0; j < HIDDEN; j++) {
            double s = p[BIAS + j];
            for (int i = 0; i < IN; i++) {
                s += p[j * IN + i] * x[n * IN + i];
            }
            h[j] = Math.tanh(s);
        }
        return h;
    }

    /** [batch x 5]. */
    double[] logits(double[] p) {
        double[] z = new double[batch * OUT];
        for (int n = 0; n < batch; n++) {
            double[] h = hidden(p, n);
            for (int c = 0; c < OUT; c++) {
                for (int j = 0; j < HIDDEN; j++) {
                    z[n * OUT + c] += p[SECOND + c * HIDDEN + j] * h[j];
                }
            }
        }
        return z;
    }

    /** The softmax of {@link #logits}. */
    double[] probabilities(double[] p) {
        double[] z = logits(p);
        for (int n = 0; n < batch; n++) {
            double sum = 0;
            for (int c = 0; c < OUT; c++) {
                sum += Math.exp(z[n * OUT + c]);
            }
            for (int c = 0; c < OUT; c++) {
                z[n * OUT + c] = Math.exp(z[n * OUT + c]) / sum;
            }
        }
        return z;
    }

    double loss(double[] p) {
        double[] q = probabilities(p);
        double loss = 0;
        for (int n = 0; n < batch; n++) {
            loss -= Math.log(q[n * OUT + (int) y[n]]) / batch;
        }
        return loss;
    }

    /** J^T seed, summed over samples {@code from} to {@code to}. */
    double[] pull(double[] p, double[] seed, int from, int to) {
        double[] g = new double[SIZE];
        for (int n = from; n < to; n++) {
            double[] h = hidden(p, n), back = new double[HIDDEN];
            for (int c = 0; c < OUT; c++) {
                for (int j = 0; j < HIDDEN; j++) {
                    g[SECOND + c * HIDDEN + j] += seed[n * OUT + c] * h[j];
                    back[j] += seed[n * OUT + c] * p[SECOND + c * HIDDEN + j];
                }
            }
            for (int j = 0; j < HIDDEN; j++) {
                double s = back[j] * (1 - h[j] * h[j]);
                g[BIAS + j] += s;
                for (int i = 0; i < IN; i++) {
                    g[j * IN + i] += s * x[n * IN + i];
                }
            }
        }
        return g;
    }

    double[] pull(double[] p, double[] seed) {
        return pull(p, seed, 0, batch);
    }

    /** The gradient of each sample's loss with respect to its logits. */
    double[] residuals(double[] p) {
        double[] r = probabilities(p);
        for (int n = 0; n < batch; n++) {
            r[n * OUT + (int) y[n]] -= 1;
        }
        return r;
    }

    double[] gradient(double[] p) {
        return scaled(1.0 / batch, pull(p, residuals(p)));
    }

    private static double[] difference(UnaryOperator<double[]> f, double[] p, double[] v) {
        double[] up = f.apply(plus(p, STEP, v)), down = f.apply(plus(p, -STEP, v));
        return scaled(0.5 / STEP, plus(up, -1, down));
    }

    /** The Hessian of the mean loss times v. */
    double[] hessian(double[] p, double[] v) {
        return difference(this::gradient, p, v);
    }

    /** The Gauss-Newton matrix of the mean loss times v. */
    double[] gaussNewton(double[] p, double[] v) {
        double[] moved = difference(this::logits, p, v), q = probabilities(p), seed = new double[batch * OUT];
        for (int n = 0; n < batch; n++) {
            double mean = 0;
            for (int c = 0; c < OUT; c++) {
                mean += q[n * OUT + c] * moved[n * OUT + c];
            }
            for (int c = 0; c < OUT; c++) {
                seed[n * OUT + c] = q[n * OUT + c] * (moved[n * OUT + c] - mean) / batch;
            }
        }
        return pull(p, seed);
    }

    /** A symmetric matrix from its products with unit vectors. */
    static double[][] dense(UnaryOperator<double[]> product, int n) {
        double[][] matrix = new double[n][];
        for (int i = 0; i < n; i++) {
            double[] unit = new double[n];
            unit[i] = 1;
            matrix[i] = product.apply(unit);
        }
        return matrix;
    }

    static double[] plus(double[] a, double by, double[] b) {
        double[] result = a.clone();
        for (int i = 0; i < a.length; i++) {
            result[i] += by * b[i];
        }
        return result;
    }

    static double[] scaled(double by, double[] a) {
        double[] result = a.clone();
        for (int i = 0; i < a.length; i++) {
            result[i] *= by;
        }
        return result;
    }

    static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
