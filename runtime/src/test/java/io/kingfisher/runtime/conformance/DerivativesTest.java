package io.kingfisher.runtime.conformance;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.reference.ReferenceDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every op's derivatives of both orders, and its Jacobian-vector products, against central differences in double precision. */
class DerivativesTest {
    private static final double STEP = 1e-5;
    /** The truncation h^2 f''' / 6 and the rounding 1e-16 f / h are both about 1e-10; functions here are mildly curved. */
    private static final double TOLERANCE = 1e-7;
    /** Elements tried in each operand: all of small ones. */
    private static final int TRIED = 24;

    @TestFactory
    Stream<DynamicTest> gradients() {
        return specs(1).map(spec -> DynamicTest.dynamicTest(spec.toString(), () -> check(spec, 1)));
    }

    @TestFactory
    Stream<DynamicTest> secondDerivatives() {
        return specs(2).map(spec -> DynamicTest.dynamicTest(spec.toString(), () -> check(spec, 2)));
    }

    @TestFactory
    Stream<DynamicTest> jacobianVectorProducts() {
        return specs(2).map(spec -> DynamicTest.dynamicTest(spec.toString(), () -> jvp(spec)));
    }

    private static Stream<Spec> specs(int order) {
        return Conformance.specs(DType.F64).stream().filter(spec -> spec.orders() >= order);
    }

    /** The derivative of order 1 or 2 of the inner product of the results (or their gradient) with random numbers. */
    private static void check(Spec spec, int order) {
        try (Device device = new ReferenceDevice();
                Recording r = new Recording(device, one -> record(spec, order, one), 1);
                Program program = device.compile(r.graph)) {
            r.fill(program);
            program.replay();
            List<String> names = r.graph.inputs().keySet().stream()
                    .filter(name -> r.graph.outputs().containsKey("d" + name))
                    .toList();
            assertTrue(!names.isEmpty());
            for (String name : names) {
                r.fill(program);
                program.replay();
                double[] derivative = program.output("d" + name).doubles();
                differences(program, name, derivative, spec.toString());
            }
        }
    }

    private static void record(Spec spec, int order, Recording r) {
        List<Value> inputs = spec.inputs(r);
        Spec.Gradient first = spec.gradient(r, inputs);
        List<Value> derivatives = first.gradients();
        List<Value> with = first.with().subList(0, derivatives.size());
        Value scalar;
        if (order == 1) {
            List<Value> results = spec.function().record(r.graph, inputs).stream()
                    .filter(value -> value.dtype().floating())
                    .toList();
            scalar = inner(
                    results, first.with().subList(with.size(), first.with().size()));
        } else {
            List<Value> along = Spec.directions(r, "along", first.gradients(), 2);
            scalar = inner(first.gradients(), along);
            with = first.with();
            derivatives = Autodiff.vjp(first.gradients(), along, with);
        }
        r.graph.output("f", scalar);
        for (int i = 0; i < with.size(); i++) {
            String name = ((io.kingfisher.runtime.graph.Source.Input)
                            with.get(i).node().op())
                    .name();
            r.graph.output("d" + name, derivatives.get(i));
        }
    }

    private static Value inner(List<Value> a, List<Value> b) {
        Value total = null;
        for (int i = 0; i < a.size(); i++) {
            Value part = a.get(i).mul(b.get(i)).sum().cast(DType.F64);
            total = total == null ? part : total.add(part);
        }
        return total;
    }

    private static void differences(Program program, String name, double[] derivative, String what) {
        Tensor input = program.input(name);
        double[] start = input.doubles();
        double scale = 1;
        for (double d : derivative) {
            scale = Math.max(scale, Math.abs(d));
        }
        SplittableRandom random = new SplittableRandom(start.length);
        for (int tried = 0; tried < Math.min(TRIED, start.length); tried++) {
            int i = start.length <= TRIED ? tried : random.nextInt(start.length);
            input.set(i, start[i] + STEP);
            program.replay();
            double above = program.output("f").item();
            input.set(i, start[i] - STEP);
            program.replay();
            double below = program.output("f").item();
            input.set(i, start[i]);
            double difference = (above - below) / (2 * STEP);
            boolean nan = Double.isNaN(difference);
            double error = Math.abs(difference - derivative[i]);
            int at = i;
            // What is NaN for a bad label or index has no difference to compare with.
            assertTrue(
                    nan || error <= TOLERANCE * scale,
                    () -> what + ": d" + name + "[" + at + "] is " + derivative[at] + ", the difference " + difference);
        }
    }

    private static void jvp(Spec spec) {
        try (Device device = new ReferenceDevice();
                Recording r = new Recording(device, one -> recordJvp(spec, one), 1);
                Program program = device.compile(r.graph)) {
            r.fill(program);
            List<String> outputs = r.graph.outputs().keySet().stream()
                    .filter(name -> name.startsWith("y"))
                    .toList();
            List<double[]> above = moved(spec, program, outputs, STEP), below = moved(spec, program, outputs, -STEP);
            List<double[]> start = moved(spec, program, outputs, 0);
            for (int k = 0; k < above.size(); k++) {
                double[] product = program.output("jvp" + k).doubles();
                for (int i = 0; i < product.length; i++) {
                    double difference = (above.get(k)[i] - below.get(k)[i]) / (2 * STEP);
                    double error = Math.abs(difference - product[i]);
                    String message =
                            spec + ": result " + k + "[" + i + "] moves by " + product[i] + ", not " + difference;
                    boolean close = error <= TOLERANCE * Math.max(1, Math.abs(difference));
                    assertTrue(close || Double.isNaN(start.get(k)[i]), message);
                }
            }
        }
    }

    private static List<double[]> moved(Spec spec, Program program, List<String> outputs, double by) {
        for (int i = 0, k = 0; i < spec.operands().size(); i++) {
            Operand operand = spec.operands().get(i);
            if (operand.dtype().floating()) {
                double[] values = operand.values().clone(),
                        along = program.input("tangent" + k++).doubles();
                for (int j = 0; j < values.length; j++) {
                    values[j] += by * along[j];
                }
                program.input("x" + i).write(values);
            }
        }
        program.replay();
        List<double[]> results = new ArrayList<>();
        for (String name : outputs) {
            results.add(program.output(name).doubles());
        }
        return results;
    }

    private static void recordJvp(Spec spec, Recording r) {
        List<Value> inputs = spec.inputs(r);
        List<Value> with =
                inputs.stream().filter(value -> value.dtype().floating()).toList();
        List<Value> results = spec.function().record(r.graph, inputs).stream()
                .filter(value -> value.dtype().floating())
                .toList();
        List<Value> products = Autodiff.jvp(results, with, Spec.directions(r, "tangent", with, 3));
        for (int k = 0; k < results.size(); k++) {
            r.graph.output("y" + k, results.get(k));
            r.graph.output("jvp" + k, products.get(k));
        }
    }
}
