package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.reference.ReferenceDevice;
import java.util.Arrays;
import java.util.Map;

/**
 * A check of a device: a recipe runs on it and on the reference device with the same inputs, and everything that the host can
 * see afterwards is compared.
 */
public final class Case {
    private final String name;
    private final Recipe recipe;
    private final int replays;
    private final Tolerance tolerance;
    private final boolean conditioned;

    private Case(String name, Recipe recipe, int replays, Tolerance tolerance, boolean conditioned) {
        this.name = name;
        this.recipe = recipe;
        this.replays = replays;
        this.tolerance = tolerance;
        this.conditioned = conditioned;
    }

    static Case of(String name, Recipe recipe, Tolerance tolerance) {
        return new Case(name, recipe, 1, tolerance, false);
    }

    /** Replays several times, with new inputs each time, so that state changes matter. */
    Case replayed(int times) {
        return new Case(name, recipe, times, tolerance, conditioned);
    }

    /**
     * Allows for how strongly the whole graph amplifies rounding errors: the tolerance of each output grows by a multiple of
     * what rounding every intermediate result of the reference to its own type changes.
     */
    Case conditioned() {
        return new Case(name, recipe, replays, tolerance, true);
    }

    /** What is computed, on which shapes, in which type. */
    public String name() {
        return name;
    }

    /** Runs the check. Whatever fails is in the result, exceptions included. */
    public Result run(Device device) {
        try (Device reference = new ReferenceDevice();
                Device rounding = new ReferenceDevice(true)) {
            Map<String, Observation> expected = Observation.run(reference, recipe, replays);
            Map<String, Observation> rounded = conditioned ? Observation.run(rounding, recipe, replays) : expected;
            Map<String, Observation> actual = Observation.run(device, recipe, replays);
            return compare(expected, rounded, actual);
        } catch (RuntimeException e) {
            return new Result(name, false, Double.NaN, Double.NaN, name + ": " + e);
        }
    }

    Recording record(Device device) {
        return new Recording(device, recipe, replays);
    }

    private Result compare(
            Map<String, Observation> expected, Map<String, Observation> rounded, Map<String, Observation> actual) {
        Tolerance.Error worst = new Tolerance.Error(0, 0, 0);
        String message = "";
        for (String key : expected.keySet()) {
            Observation want = expected.get(key), got = actual.get(key);
            Tolerance.Error error =
                    tolerance.compare(want, got.values(), rounded.get(key).values());
            if (error.size() >= worst.size()) {
                worst = error;
                int i = error.index();
                message = error.size() <= 1
                        ? ""
                        : name + ": " + key + " " + want.dtype() + want.shape() + " has " + got.values()[i] + " at "
                                + place(want, i) + " where the reference has " + want.values()[i] + ", " + error.size()
                                + " times the tolerance away";
            }
        }
        return new Result(name, worst.size() <= 1, worst.relative(), worst.tolerance(), message);
    }

    private static String place(Observation observation, int index) {
        long[] strides = observation.shape().strides(), place = new long[strides.length];
        long rest = index;
        for (int axis = 0; axis < place.length; axis++) {
            place[axis] = rest / strides[axis];
            rest %= strides[axis];
        }
        return Arrays.toString(place);
    }

    @Override
    public String toString() {
        return name;
    }

    /** What the host sees after a replay: an output or a tensor. */
    record Observation(DType dtype, Shape shape, double[] values) {
        static Map<String, Observation> run(Device device, Recipe recipe, int replays) {
            try (Recording recording = new Recording(device, recipe, replays)) {
                return recording.run();
            }
        }

        static Observation of(Tensor tensor) {
            return new Observation(tensor.dtype(), tensor.shape(), tensor.doubles());
        }
    }

    /** Records a graph; the same on every device. */
    @FunctionalInterface
    interface Recipe {
        void record(Recording recording);
    }
}
