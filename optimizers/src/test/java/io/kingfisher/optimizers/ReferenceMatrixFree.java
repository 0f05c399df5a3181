package io.kingfisher.optimizers;

import static io.kingfisher.optimizers.ReferenceMlp.dot;
import static io.kingfisher.optimizers.ReferenceMlp.plus;
import static io.kingfisher.optimizers.ReferenceMlp.scaled;

import io.kingfisher.optimizers.matrixfree.CurveBall;
import io.kingfisher.optimizers.matrixfree.HessianFree;
import io.kingfisher.optimizers.matrixfree.Sgn;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** Methods that look at the loss again, as plain double loops over a net of {@link ReferenceMlp}. */
interface ReferenceMatrixFree {
    /** The step from p; whoever calls multiplies it by the learning rate. */
    double[] step(Problem f, double[] p);

    /** A net's loss with weight decay. */
    record Problem(ReferenceMlp mlp, double decay) {
        double loss(double[] p) {
            return mlp.loss(p) + 0.5 * decay * dot(p, p);
        }

        double[] gradient(double[] p) {
            return plus(mlp.gradient(p), decay, p);
        }

        UnaryOperator<double[]> gaussNewton(double[] p, double damping) {
            return v -> plus(mlp.gaussNewton(p, v), decay + damping, v);
        }
    }

    /** Conjugate gradients' iterates and their models. */
    record Path(List<double[]> x, List<Double> model) {
        static Path of(UnaryOperator<double[]> a, double[] b, double[] start, int iterations) {
            Path path = new Path(new ArrayList<>(), new ArrayList<>());
            double[] x = start, r = plus(b, -1, a.apply(x)), p = r;
            for (int i = 0; i < iterations; i++) {
                double[] q = a.apply(p);
                double rr = dot(r, r), alpha = rr / dot(p, q);
                x = plus(x, alpha, p);
                r = plus(r, -alpha, q);
                p = plus(r, dot(r, r) / rr, p);
                path.x.add(x);
                path.model.add(0.5 * dot(x, a.apply(x)) - dot(b, x));
            }
            return path;
        }
    }

    static double adapted(double damping, double ratio) {
        return ratio > 0.75 ? damping * 2 / 3 : ratio < 0.25 ? damping * 3 / 2 : damping;
    }

    static ReferenceMatrixFree sgn(Sgn.Config config) {
        double[] damping = {config.damping()};
        return (f, p) -> {
            Path path = Path.of(
                    f.gaussNewton(p, damping[0]), scaled(-1, f.gradient(p)), new double[p.length], config.iterations());
            double[] d = path.x.getLast();
            if (config.adaptive()) {
                double change = f.loss(plus(p, 1, d)) - f.loss(p);
                damping[0] = adapted(damping[0], change / path.model.getLast());
            }
            return d;
        };
    }

    static ReferenceMatrixFree curveBall(CurveBall.Config config) {
        double[] damping = {config.damping()};
        double[][] z = {null};
        int[] t = {0};
        return (f, p) -> {
            z[0] = z[0] == null ? new double[p.length] : z[0];
            UnaryOperator<double[]> h = f.gaussNewton(p, damping[0]);
            double[] g = f.gradient(p), d = plus(h.apply(z[0]), 1, g), hd = h.apply(d), hz = h.apply(z[0]);
            double a = dot(d, hd), b = dot(d, hz), c = dot(z[0], hz), u = dot(d, g), v = dot(z[0], g);
            double beta = t[0] == 0 ? u / a : (c * u - b * v) / (a * c - b * b);
            double rho = t[0] == 0 ? 0 : -(a * v - b * u) / (a * c - b * b);
            z[0] = plus(scaled(rho, z[0]), -beta, d);
            if (++t[0] % config.interval() == 0) {
                double ratio = (f.loss(plus(p, 1, z[0])) - f.loss(p)) / (-0.5 * (beta * u - rho * v));
                double factor = Math.pow(config.factor(), config.interval());
                damping[0] *= ratio > 1.5 ? factor : ratio < 0.5 ? 1 / factor : 1;
            }
            return z[0];
        };
    }

    static ReferenceMatrixFree hessianFree(HessianFree.Config config) {
        double[] damping = {config.damping()};
        double[][] before = {null};
        return (f, p) -> {
            double[] start = before[0] == null ? new double[p.length] : scaled(config.decay(), before[0]);
            double[] g = f.gradient(p);
            int n = config.iterations();
            Path path = Path.of(f.gaussNewton(p, damping[0]), scaled(-1, g), start, n);
            before[0] = path.x.getLast();
            int chosen = n - 1;
            double least = f.loss(plus(p, 1, path.x.get(chosen)));
            for (double power = n; power >= 1; power--) {
                int at = (int) power - 1;
                boolean kept = false;
                for (double k = 1; k < n; k *= 1.3) {
                    kept |= (int) Math.ceil(k) == at + 1;
                }
                if (kept && at != n - 1) {
                    double loss = f.loss(plus(p, 1, path.x.get(at)));
                    if (loss > least) {
                        break;
                    }
                    least = loss;
                    chosen = at;
                }
            }
            double[] d = path.x.get(chosen);
            double loss = f.loss(p);
            damping[0] = adapted(damping[0], (least - loss) / path.model.get(chosen));
            double alpha = 1;
            for (int i = 0; i < 60 && f.loss(plus(p, alpha, d)) > loss + 1e-2 * alpha * dot(g, d); i++) {
                alpha *= 0.8;
            }
            return scaled(alpha, d);
        };
    }

    /** BFGS from the last pairs, with a dense inverse Hessian. */
    final class Bfgs {
        private final List<double[]> s = new ArrayList<>(), y = new ArrayList<>();
        private final int memory;

        Bfgs(int memory) {
            this.memory = memory;
        }

        double[] direction(Problem f, double[] p) {
            return scaled(-1, times(inverse(s, y, p.length), f.gradient(p)));
        }

        void take(Problem f, double[] p, double[] step) {
            s.add(step);
            y.add(plus(f.gradient(plus(p, 1, step)), -1, f.gradient(p)));
            if (s.size() > memory) {
                s.removeFirst();
                y.removeFirst();
            }
        }
    }

    private static double[] times(double[][] a, double[] x) {
        double[] result = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            result[i] = dot(a[i], x);
        }
        return result;
    }

    /** H = (I - rho s y^T) H (I - rho y s^T) + rho s s^T, pair by pair. */
    private static double[][] inverse(List<double[]> s, List<double[]> y, int n) {
        double[][] h = Dense.identity(n);
        for (int k = 0; k < s.size(); k++) {
            double[] a = s.get(k), b = y.get(k);
            if (k == 0) {
                double gamma = dot(s.getLast(), y.getLast()) / dot(y.getLast(), y.getLast());
                for (int i = 0; i < n; i++) {
                    h[i][i] = gamma;
                }
            }
            double rho = 1 / dot(a, b);
            double[] hb = times(h, b);
            double both = rho * (1 + rho * dot(b, hb));
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    h[i][j] += both * a[i] * a[j] - rho * (a[i] * hb[j] + hb[i] * a[j]);
                }
            }
        }
        return h;
    }
}
