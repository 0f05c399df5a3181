package io.kingfisher.train.selftest;

import io.kingfisher.layers.Precision;
import io.kingfisher.runtime.Device;
import io.kingfisher.train.selftest.Check.Finding;
import io.kingfisher.train.selftest.Check.Target;
import io.kingfisher.train.workload.Method;
import io.kingfisher.train.workload.TrainingStep;
import io.kingfisher.train.workload.Workload;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Training with products in half precision follows training in single precision as closely as the rounding lets it. What the
 * rounding does to weights is not small: it turns units of a ReLU over, and Adam makes whole steps of gradients that are
 * nothing else. So the bounds are on the losses, and on the weights only so that a wrong scale or a lost gradient shows; and
 * fp16, which rounds eight times as finely, must come closer than bf16.
 */
final class PrecisionChecks {
    /** Eight different batches, the last step with that of the first. */
    private static final int STEPS = 17;

    /** How a run went: its losses, and how far it moved each number of its state from where all runs begin. */
    private record Course(double[] losses, Map<String, double[]> start, Map<String, double[]> end, long skipped) {}

    private PrecisionChecks() {}

    static List<Check> all() {
        List<Check> checks = new ArrayList<>();
        for (Method method : Method.known()) {
            checks.add(new Check(
                    "bf16 and fp16 train as fp32: " + method.label(), false, target -> follows(target, method)));
        }
        checks.add(new Check("tf32 trains as fp32", true, PrecisionChecks::tf32));
        return checks;
    }

    private static Workload lenet() {
        // Wide enough a batch for gradients that say something.
        return Workload.of("lenet", Workload.small()).withBatch(32);
    }

    private static Finding follows(Target target, Method method) {
        Course exact = run(target, method, Precision.FP32);
        double bf16 = 0, fp16 = 0;
        StringBuilder text = new StringBuilder();
        boolean good = falls(exact);
        for (Precision precision : List.of(Precision.BF16, Precision.FP16)) {
            Course course = run(target, method, precision);
            double distance = distance(exact, course), losses = losses(exact, course);
            text.append(String.format(
                    Locale.ROOT, "%s loss within %.2g, weights within %.2g; ", precision.key(), losses, distance));
            good &= falls(course);
            if (precision == Precision.BF16) {
                bf16 = distance;
                good &= losses < 0.03 && distance < 0.5;
            } else {
                fp16 = distance;
                text.append(course.skipped()).append(" skipped");
                // A skipped step leaves a run behind for good, so that only runs without one can be compared.
                good &= course.skipped() <= 4 && (course.skipped() > 0 || (losses < 0.01 && distance < 0.3));
            }
        }
        return new Finding(good && fp16 < bf16, text.toString());
    }

    private static Finding tf32(Target target) {
        Course exact = run(target, Method.SGD, Precision.FP32), rounded = run(target, Method.SGD, Precision.TF32);
        double distance = distance(exact, rounded), losses = losses(exact, rounded);
        String text = String.format(Locale.ROOT, "loss within %.2g, weights within %.2g", losses, distance);
        return new Finding(falls(rounded) && losses < 0.01 && distance < 0.1, text);
    }

    private static Course run(Target target, Method method, Precision precision) {
        try (Device device = target.open(precision);
                TrainingStep step = new TrainingStep(device, lenet(), method, precision, 3, 1)) {
            Map<String, double[]> start = weights(step);
            double[] losses = new double[STEPS];
            for (int i = 0; i < STEPS; i++) {
                step.step();
                losses[i] = step.loss();
            }
            long skipped = step.lossScale().map(scale -> scale.skipped()).orElse(0L);
            return new Course(losses, start, weights(step), skipped);
        }
    }

    private static Map<String, double[]> weights(TrainingStep step) {
        Map<String, double[]> weights = new java.util.LinkedHashMap<>();
        step.model().parameters().forEach(p -> weights.put(p.path(), p.tensor().doubles()));
        return weights;
    }

    /** Whether a run learns what there is to learn. */
    private static boolean falls(Course course) {
        double first = course.losses()[0], last = course.losses()[STEPS - 1];
        return Double.isFinite(last) && last < first;
    }

    /** The largest difference of two runs' losses, relative to the first loss. */
    private static double losses(Course exact, Course other) {
        double worst = 0;
        for (int i = 0; i < STEPS; i++) {
            double difference = Math.abs(exact.losses()[i] - other.losses()[i]) / exact.losses()[0];
            worst = Double.isFinite(difference) ? Math.max(worst, difference) : Double.POSITIVE_INFINITY;
        }
        return worst;
    }

    /** The distance between the weights that two runs reach, relative to the way that the first has gone. */
    private static double distance(Course exact, Course other) {
        double apart = 0, way = 0;
        for (String name : exact.start().keySet()) {
            double[] from = exact.start().get(name),
                    to = exact.end().get(name),
                    at = other.end().get(name);
            for (int i = 0; i < from.length; i++) {
                apart += (to[i] - at[i]) * (to[i] - at[i]);
                way += (to[i] - from[i]) * (to[i] - from[i]);
            }
        }
        return Math.sqrt(apart / way);
    }
}
