package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A function of operands, of which the cases for its values, its gradient and its gradient's gradient are made.
 *
 * @param orders how often it can be differentiated at the operands: 0, 1 or 2
 */
record Spec(String name, List<Operand> operands, Function function, int orders, Tolerance tolerance) {
    /** Records the function. */
    @FunctionalInterface
    interface Function {
        List<Value> record(Graph graph, List<Value> operands);
    }

    /** Records a function with one result. */
    @FunctionalInterface
    interface Single {
        Value record(Graph graph, List<Value> operands);
    }

    Spec {
        operands = List.copyOf(operands);
    }

    static Spec smooth(String name, Tolerance tolerance, Single function, Operand... operands) {
        return new Spec(name, List.of(operands), (g, x) -> List.of(function.record(g, x)), 2, tolerance);
    }

    static Spec plain(String name, Tolerance tolerance, Single function, Operand... operands) {
        return smooth(name, tolerance, function, operands).upTo(0);
    }

    static Spec several(String name, Tolerance tolerance, Function function, Operand... operands) {
        return new Spec(name, List.of(operands), function, 2, tolerance);
    }

    Spec upTo(int order) {
        return new Spec(name, operands, function, order, tolerance);
    }

    /** One case for each order. */
    List<Case> cases() {
        String full = name + " of " + operands + " "
                + (operands.isEmpty() ? "" : operands.get(0).dtype());
        List<Case> cases = new ArrayList<>();
        cases.add(Case.of(full, r -> outputs(r, function.record(r.graph, inputs(r))), tolerance));
        if (orders >= 1) {
            cases.add(Case.of(
                    full + ", gradient", r -> outputs(r, gradient(r, inputs(r)).gradients), tolerance.times(4)));
        }
        if (orders >= 2) {
            cases.add(Case.of(full + ", second derivative", this::second, tolerance.times(16)));
        }
        return cases;
    }

    List<Value> inputs(Recording r) {
        List<Value> values = new ArrayList<>();
        for (int i = 0; i < operands.size(); i++) {
            values.add(r.input("x" + i, operands.get(i)));
        }
        return values;
    }

    private static void outputs(Recording r, List<Value> values) {
        for (int i = 0; i < values.size(); i++) {
            r.graph.output("y" + i, values.get(i));
        }
    }

    /** The gradients of floating operands, and all floating values that they depend on. */
    record Gradient(List<Value> gradients, List<Value> with) {}

    /** The gradients of the inner product of the results with further inputs. */
    Gradient gradient(Recording r, List<Value> inputs) {
        List<Value> results = function.record(r.graph, inputs).stream()
                .filter(value -> value.dtype().floating())
                .toList();
        List<Value> with = new ArrayList<>(
                inputs.stream().filter(value -> value.dtype().floating()).toList());
        List<Value> seeds = directions(r, "seed", results, 1);
        List<Value> gradients = Autodiff.vjp(results, seeds, with);
        with.addAll(seeds);
        return new Gradient(gradients, with);
    }

    private void second(Recording r) {
        Gradient first = gradient(r, inputs(r));
        List<Value> along = directions(r, "along", first.gradients, 2);
        outputs(r, Autodiff.vjp(first.gradients, along, first.with));
    }

    /** An input of random numbers for each value, of its type. */
    static List<Value> directions(Recording r, String name, List<Value> values, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        List<Value> directions = new ArrayList<>();
        for (Value value : values) {
            Operand operand =
                    Operand.random(random, value.dtype(), value.shape().toArray());
            directions.add(r.input(name + directions.size(), operand));
        }
        return directions;
    }

    @Override
    public String toString() {
        return name + operands;
    }
}
