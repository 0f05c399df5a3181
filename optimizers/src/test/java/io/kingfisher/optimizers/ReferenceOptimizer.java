package io.kingfisher.optimizers;

import java.util.HashMap;
import java.util.Map;

/** Update rules as a page of plain double loops, one parameter at a time, to check the engine's against. */
interface ReferenceOptimizer {
    /** Updates p in place from its gradient in step t = 1, 2, ...; {@code fisher} is null but for AdaFisher. */
    void update(String path, double[] p, double[] g, double[] fisher, int t);

    static ReferenceOptimizer sgd(double lr, double momentum, double dampening, boolean nesterov, double decay) {
        Map<String, double[]> buffers = new HashMap<>();
        return (path, p, g, fisher, t) -> {
            double[] b = buffers.computeIfAbsent(path, _ -> new double[p.length]);
            for (int i = 0; i < p.length; i++) {
                double d = g[i] + decay * p[i];
                if (momentum != 0) {
                    b[i] = t == 1 ? d : momentum * b[i] + (1 - dampening) * d;
                    d = nesterov ? d + momentum * b[i] : b[i];
                }
                p[i] -= lr * d;
            }
        };
    }

    static ReferenceOptimizer adam(double lr, double b1, double b2, double eps, double decay, boolean decoupled) {
        Map<String, double[]> means = new HashMap<>(), squares = new HashMap<>();
        return (path, p, g, fisher, t) -> {
            double[] m = means.computeIfAbsent(path, _ -> new double[p.length]);
            double[] v = squares.computeIfAbsent(path, _ -> new double[p.length]);
            for (int i = 0; i < p.length; i++) {
                double d = g[i];
                if (decoupled) {
                    p[i] -= lr * decay * p[i];
                } else {
                    d += decay * p[i];
                }
                m[i] = b1 * m[i] + (1 - b1) * d;
                v[i] = b2 * v[i] + (1 - b2) * d * d;
                double mean = m[i] / (1 - Math.pow(b1, t)), square = v[i] / (1 - Math.pow(b2, t));
                p[i] -= lr * mean / (Math.sqrt(square) + eps);
            }
        };
    }

    /** The step of AdaFisher once F is known. */
    static ReferenceOptimizer adaFisher(double lr, double beta, double decay, boolean decoupled) {
        Map<String, double[]> means = new HashMap<>();
        return (path, p, g, fisher, t) -> {
            double[] m = means.computeIfAbsent(path, _ -> new double[p.length]);
            for (int i = 0; i < p.length; i++) {
                double d = decoupled ? g[i] : g[i] + decay * p[i];
                m[i] = beta * m[i] + (1 - beta) * d;
                double step = m[i] / (1 - Math.pow(beta, t)) / fisher[i];
                p[i] -= lr * (step + (decoupled ? decay * p[i] : 0));
            }
        };
    }
}
