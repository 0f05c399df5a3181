package io.kingfisher.optimizers.exact;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Activation;
import io.kingfisher.layers.CrossEntropy;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.Loss;
import io.kingfisher.layers.MeanSquaredError;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Sequential;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Type;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The dense reference against finite differences and definitions. */
class DenseModelTest {
    private static final int SAMPLES = 5, IN = 3, OUT = 4;

    private final Device device = Device.open("reference");
    private final Layer model = new Sequential(new Linear(IN, 4), Activation.tanh(), new Linear(4, OUT));
    private final double[] x = new Random(3).doubles(SAMPLES * IN, -2, 2).toArray();

    private DenseModel dense(boolean classes) {
        model.initialize(device, 7);
        Loss loss = classes ? new CrossEntropy() : new MeanSquaredError();
        Type target = classes ? new Type(DType.I32, Shape.of(SAMPLES)) : new Type(DType.F32, Shape.of(SAMPLES, OUT));
        return new DenseModel(device, model, loss, new Type(DType.F32, Shape.of(SAMPLES, IN)), target);
    }

    private static double[] targets(boolean classes) {
        return classes
                ? new double[] {0, 3, 1, 1, 2}
                : new Random(5).doubles(SAMPLES * OUT, -1, 1).toArray();
    }

    /** The central difference of what a supplier gives, for one element of a parameter, by the step that F32 really makes. */
    private static double[] difference(Parameter parameter, int element, Supplier<double[]> values) {
        double at = parameter.tensor().get(element);
        parameter.tensor().set(element, at + 0x1p-10);
        double high = parameter.tensor().get(element);
        double[] up = values.get();
        parameter.tensor().set(element, at - 0x1p-10);
        double low = parameter.tensor().get(element);
        double[] down = values.get();
        parameter.tensor().set(element, at);
        for (int i = 0; i < up.length; i++) {
            up[i] = (up[i] - down[i]) / (high - low);
        }
        return up;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void agreesWithFiniteDifferences(boolean classes) {
        try (DenseModel dense = dense(classes)) {
            double[] y = targets(classes);
            DenseCurvature here = dense.at(x, y);
            double[] gradient = here.gradient();
            double[][] hessian = dense.hessian(x, y);
            int column = 0;
            for (Parameter p : dense.parameters()) {
                for (int e = 0; e < p.shape().elements(); e++, column++) {
                    double slope =
                            difference(p, e, () -> new double[] {dense.at(x, y).loss()})[0];
                    assertEquals(slope, gradient[column], 1e-6, p.path());
                    double[] bend = difference(p, e, () -> dense.at(x, y).gradient());
                    for (int i = 0; i < bend.length; i++) {
                        assertEquals(bend[i], hessian[i][column], 1e-5, p.path());
                    }
                }
            }
            assertEquals(gradient.length, column);
        }
    }

    /** The Fisher matrix from all labels and their probabilities, the empirical one from the samples' own. */
    @Test
    void fisherIsTheMeanOverTheModelsLabels() {
        try (DenseModel dense = dense(true)) {
            double[] y = targets(true);
            DenseCurvature here = dense.at(x, y);
            int n = here.parameters();
            double[][] fisher = new double[n][n];
            for (int label = 0; label < OUT; label++) {
                double[] labels = new double[SAMPLES];
                java.util.Arrays.fill(labels, label);
                DenseCurvature there = dense.at(x, labels);
                double[][] g = there.sampleGradients();
                for (int s = 0; s < SAMPLES; s++) {
                    // The residual at a label is p - 1 there.
                    double probability = 1 + there.residual()[s * OUT + label];
                    for (int i = 0; i < n; i++) {
                        for (int j = 0; j < n; j++) {
                            fisher[i][j] += probability * g[s][i] * g[s][j] / SAMPLES;
                        }
                    }
                }
            }
            double[][] found = here.fisher(), newton = here.gaussNewton(), empirical = here.empiricalFisher();
            for (int i = 0; i < n; i++) {
                assertArrayEquals(fisher[i], found[i], 1e-12);
                assertArrayEquals(fisher[i], newton[i], 1e-12);
                for (int j = 0; j < n; j++) {
                    double sum = 0;
                    for (double[] g : here.sampleGradients()) {
                        sum += g[i] * g[j] / SAMPLES;
                    }
                    assertEquals(sum, empirical[i][j], 1e-12);
                }
            }
            double[] natural = here.step(found, 1e-9);
            double[] back = DenseMatrix.times(found, natural);
            for (int i = 0; i < n; i++) {
                assertEquals(here.gradient()[i], back[i] + 1e-9 * natural[i], 1e-10);
            }
            double[] seven = natural.clone();
            for (int i = 0; i < n; i++) {
                seven[i] *= -7;
            }
            assertEquals(here.gamma(natural), here.gamma(seven), 1e-12 * here.gamma(natural));
            // The bound 1 / sqrt(g^T F^-1 g) of sums of losses.
            double bound = 1 / Math.sqrt(SAMPLES * DenseMatrix.dot(here.gradient(), natural));
            assertEquals(bound, here.gamma(natural), 1e-6 * bound);
            assertTrue(here.gamma(here.gradient()) > bound);
        }
    }

    /** With a squared error H is 2 / C times the identity, and the Hessian of a linear model is the Gauss-Newton matrix. */
    @Test
    void linearLeastSquares() {
        Layer linear = new Linear(IN, OUT);
        linear.initialize(device, 2);
        Type target = new Type(DType.F32, Shape.of(SAMPLES, OUT));
        try (DenseModel dense = new DenseModel(
                device, linear, new MeanSquaredError(), new Type(DType.F32, Shape.of(SAMPLES, IN)), target)) {
            double[] y = targets(false);
            DenseCurvature here = dense.at(x, y);
            double[][] hessian = dense.hessian(x, y), newton = here.gaussNewton(), fisher = here.fisher();
            for (int i = 0; i < hessian.length; i++) {
                assertArrayEquals(hessian[i], newton[i], 1e-12);
                assertArrayEquals(hessian[i], fisher[i], 1e-12);
            }
        }
    }

    @Test
    void refusesWhatIsTooLargeOrSingular() {
        Layer large = new Linear(100, 20);
        large.initialize(device, 1);
        String message = assertThrows(
                        KingfisherException.class,
                        () -> new DenseModel(
                                device,
                                large,
                                new CrossEntropy(),
                                new Type(DType.F32, Shape.of(2, 100)),
                                new Type(DType.I32, Shape.of(2))))
                .getMessage();
        assertTrue(message.contains("2020"), message);
        assertThrows(
                KingfisherException.class,
                () -> DenseMatrix.solve(new double[][] {{1, 1}, {1, 1}}, 0, new double[] {1, 2}));
        assertArrayEquals(
                new double[] {2, 1}, DenseMatrix.solve(new double[][] {{0, 1}, {1, 0}}, 0, new double[] {1, 2}), 1e-15);
    }
}
