package io.kingfisher.optimizers;

import static io.kingfisher.optimizers.ReferenceMlp.dot;
import static io.kingfisher.optimizers.ReferenceMlp.plus;
import static io.kingfisher.optimizers.ReferenceMlp.scaled;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.matrixfree.AdaptiveKfac;
import io.kingfisher.runtime.KingfisherException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AdaptiveKfacTest {
    private static final double RATE = 0.1, DECAY = 0.2;

    private static AdaptiveKfac.Config config(double damping, LabelSource labels) {
        return new AdaptiveKfac.Config(damping, 0.9, labels, 3, 5, 4);
    }

    /** The method in double precision; gradients of samples and inputs of layers are the engine's. */
    private static final class Reference {
        private final AdaptiveKfac.Config config;
        private final Map<Parameter, ReferenceMoments> averages = new HashMap<>();
        private final Map<Parameter, double[][][]> inverses = new HashMap<>();
        private final Map<Parameter, ReferenceLayer> layers = new HashMap<>();
        private double lambda, gamma;
        private double[] before;
        private int t;

        Reference(AdaptiveKfac.Config config) {
            this.config = config;
            lambda = config.damping();
            gamma = Math.sqrt(lambda + DECAY);
        }

        void observe(Map<Parameter, List<ReferenceFisher.Use>> uses, double samples) {
            t++;
            double keep = Math.min(1 - 1.0 / t, config.decay());
            uses.forEach((weight, seen) -> {
                layers.put(weight, ReferenceLayer.of(seen));
                averages.merge(weight, ReferenceMoments.of(seen, samples), (old, now) -> old.mix(now, keep));
            });
        }

        private void invert() {
            averages.forEach((weight, factors) -> {
                double[][] a = factors.a().get(0), g = factors.g().get(0);
                double pi = Math.sqrt(Dense.trace(a) / a.length / (Dense.trace(g) / g.length));
                inverses.put(weight, new double[][][] {
                    Dense.inverse(Dense.plus(g, gamma / pi, Dense.identity(g.length))),
                    Dense.inverse(Dense.plus(a, gamma * pi, Dense.identity(a.length)))
                });
            });
        }

        private double[] proposal(List<Parameter> parameters, double[] gradient) {
            Map<Parameter, double[]> parts = Flat.parts(parameters, gradient);
            layers.forEach((weight, layer) -> {
                double[][] d = layer.matrix(parts, 0), both[] = inverses.get(weight);
                layer.scatter(Dense.times(Dense.times(both[0], d), both[1]), 0, parts);
            });
            double[] all = new double[gradient.length];
            int at = 0;
            for (Parameter parameter : parameters) {
                double[] part = parts.get(parameter);
                System.arraycopy(part, 0, all, at, part.length);
                at += part.length;
            }
            return scaled(-1, all);
        }

        /** The step of the best plane, and its model. */
        private record Move(double[] step, double model) {}

        private Move move(List<Parameter> parameters, ReferenceMatrixFree.Problem f, double[] p) {
            double[] g = f.gradient(p), u = proposal(parameters, g);
            UnaryOperator<double[]> h = f.gaussNewton(p, lambda);
            double a = dot(u, h.apply(u)), x, y = 0;
            if (before == null) {
                x = -dot(g, u) / a;
            } else {
                double[] hv = h.apply(before);
                double b = dot(u, hv), c = dot(before, hv), determinant = a * c - b * b;
                x = (-c * dot(g, u) + b * dot(g, before)) / determinant;
                y = (b * dot(g, u) - a * dot(g, before)) / determinant;
            }
            double[] s = before == null ? scaled(x, u) : plus(scaled(x, u), y, before);
            return new Move(s, dot(g, s) + 0.5 * dot(s, h.apply(s)));
        }

        double[] step(List<Parameter> parameters, ReferenceMatrixFree.Problem f, double[] p) {
            if (t % 5 == 0) {
                double center = gamma, best = gamma, least = Double.POSITIVE_INFINITY;
                double w2 = Math.pow(Math.sqrt(0.95), 5);
                for (double candidate : new double[] {center, center * w2, center / w2}) {
                    gamma = candidate;
                    invert();
                    double model = move(parameters, f, p).model();
                    if (model < least) {
                        least = model;
                        best = candidate;
                    }
                }
                gamma = best;
                invert();
            } else if (t <= 3 || t % 4 == 0) {
                invert();
            }
            Move move = move(parameters, f, p);
            before = move.step();
            if (t % 3 == 0) {
                double ratio = (f.loss(plus(p, 1, before)) - f.loss(p)) / move.model(), w1 = Math.pow(0.95, 3);
                lambda *= ratio > 0.75 ? w1 : ratio < 0.25 ? 1 / w1 : 1;
            }
            return before;
        }
    }

    /** A hundred steps beside the reference; both dampings move, and move together. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void followsTheReference(int seed) {
        AdaptiveKfac.Config config = config(2, new LabelSource.Empirical());
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, seed)) {
            AdaptiveKfac optimizer =
                    new AdaptiveKfac(net.device(), net.group(RATE, DECAY), config, new Clipping.None());
            net.compile(optimizer, true);
            List<Parameter> parameters = net.model().parameters();
            double[] p = Flat.of(parameters);
            Reference reference = new Reference(config);
            Set<Double> lambdas = new HashSet<>(), gammas = new HashSet<>();
            for (int t = 1; t <= 100; t++) {
                net.step();
                reference.observe(net.uses(), net.samples());
                var problem =
                        new ReferenceMatrixFree.Problem(new ReferenceMlp(net.lastInputs(), net.lastLabels()), DECAY);
                p = plus(p, RATE, reference.step(parameters, problem, p));
                SideBySide.compare(Flat.parts(parameters, p), t);
                double lambda = optimizer.state().tensors().get("damping").item();
                assertEquals(reference.lambda, lambda, 1e-9 * lambda);
                assertEquals(
                        reference.gamma,
                        optimizer.state().tensors().get("gamma").item(),
                        1e-9);
                lambdas.add(lambda);
                gammas.add(reference.gamma);
            }
            assertTrue(lambdas.size() > 3 && gammas.size() > 3, lambdas + " and " + gammas);
            assertEquals(List.of(), optimizer.reports());
            assertEquals(List.of(), optimizer.notes());
        }
    }

    /** With the exact curvature a linear least-squares problem is solved by one step, whatever the scale of the proposal. */
    @Test
    void oneStepSolvesLeastSquares() {
        double[][] after = OneLinear.leastSquares(
                (device, groups) ->
                        new AdaptiveKfac(device, groups, config(1e-12, new LabelSource.Exact()), new Clipping.None()),
                1,
                2);
        for (int k = 1; k < after.length; k += 2) {
            for (double g : after[k]) {
                assertEquals(0, g, 1e-5);
            }
        }
    }

    @Test
    void refusesBadSettings() {
        LabelSource labels = new LabelSource.Empirical();
        assertThrows(KingfisherException.class, () -> config(0, labels));
        assertThrows(KingfisherException.class, () -> new AdaptiveKfac.Config(1, 0.9, labels, 0, 1, 1));
        assertThrows(KingfisherException.class, () -> new AdaptiveKfac.Config(1, 0.9, labels, 1, 0, 1));
        assertThrows(KingfisherException.class, () -> new AdaptiveKfac.Config(1, 0.9, labels, 1, 1, 0));
    }
}
