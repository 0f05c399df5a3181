package io.kingfisher.train.selftest;

import io.kingfisher.layers.Precision;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions.Execution;
import io.kingfisher.runtime.Program;
import io.kingfisher.train.selftest.Check.Finding;
import io.kingfisher.train.selftest.Check.Target;
import io.kingfisher.train.workload.Method;
import io.kingfisher.train.workload.TrainingStep;
import io.kingfisher.train.workload.TrainingStep.Maker;
import io.kingfisher.train.workload.Workload;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a program does to its state, however it is run: in one graph or call by call, once or a thousand times. */
final class ReplayChecks {
    /** So that the steps that are compared are of both kinds, with a refresh of the curvature and without. */
    static final int REFRESH = 2;

    private static final Maker ADAFISHER = (device, model) -> Method.ADAFISHER.make(device, model, REFRESH);

    static final int SEED = 7;

    /** Less heap than this in 100 replays cannot be an object in each. */
    private static final long NO_OBJECT = 16 * 100;

    private ReplayChecks() {}

    static List<Check> all() {
        List<Check> checks = new ArrayList<>();
        for (Workload workload : Workload.small()) {
            checks.add(new Check(
                    "graph replay is plain execution: " + workload.name(),
                    true,
                    target -> sameBits(target, Execution.GRAPH, Execution.PLAIN, workload, ADAFISHER, 3)));
        }
        Optimizers.all()
                .forEach((name, maker) -> checks.add(new Check(
                        "3 replays are 3 plain steps: " + name,
                        true,
                        target -> sameBits(target, Execution.GRAPH, Execution.PLAIN, lenet(), maker, 3))));
        checks.add(new Check("capture on a blocking stream", true, ReplayChecks::blocking));
        for (Workload workload : Workload.small()) {
            checks.add(new Check(
                    "two runs are the same: " + workload.name(),
                    false,
                    target -> sameBits(target, Execution.GRAPH, Execution.GRAPH, workload, ADAFISHER, 5)));
        }
        checks.add(new Check("memory over 1000 steps", false, ReplayChecks::flat));
        return checks;
    }

    static Workload lenet() {
        return Workload.of("lenet", Workload.small());
    }

    private static Finding sameBits(
            Target target, Execution one, Execution other, Workload workload, Maker maker, int steps) {
        Map<String, double[]> first = states(target, one, workload, maker, steps);
        Map<String, double[]> second = states(target, other, workload, maker, steps);
        Optional<String> difference = difference(first, second);
        return difference
                .map(Finding::failed)
                .orElseGet(() -> Finding.passed(first.size() + " tensors after " + steps + " steps, bit for bit"));
    }

    private static Map<String, double[]> states(
            Target target, Execution execution, Workload workload, Maker maker, int steps) {
        try (Device device = target.open(execution);
                TrainingStep step = new TrainingStep(device, workload, maker, Precision.FP32, SEED)) {
            for (int i = 0; i < steps; i++) {
                step.step();
            }
            Map<String, double[]> state = step.state();
            state.put("loss", new double[] {step.loss()});
            return state;
        }
    }

    /** The first place where two states differ, in words; NaN differs from everything, as no state may have one. */
    static Optional<String> difference(Map<String, double[]> first, Map<String, double[]> second) {
        if (!first.keySet().equals(second.keySet())) {
            return Optional.of("the runs have other tensors");
        }
        for (var entry : first.entrySet()) {
            double[] a = entry.getValue(), b = second.get(entry.getKey());
            for (int i = 0; i < a.length; i++) {
                if (a[i] != b[i]) {
                    return Optional.of(entry.getKey() + "[" + i + "] is " + a[i] + " and " + b[i]);
                }
            }
        }
        return Optional.empty();
    }

    private static Finding blocking(Target target) {
        int[] nodes = new int[2];
        List<Map<String, double[]>> states = new ArrayList<>();
        for (Execution execution : List.of(Execution.GRAPH, Execution.BLOCKING)) {
            try (Device device = target.open(execution);
                    TrainingStep step =
                            new TrainingStep(device, lenet(), Method.ADAFISHER, Precision.FP32, SEED, REFRESH)) {
                step.step();
                step.step();
                nodes[states.size()] =
                        step.programs().stream().mapToInt(Program::graphNodes).sum();
                states.add(step.state());
            }
        }
        Optional<String> difference = difference(states.get(0), states.get(1));
        if (difference.isPresent()) {
            return Finding.failed(difference.get());
        }
        return nodes[0] > 0 && nodes[0] == nodes[1]
                ? Finding.passed(nodes[0] + " nodes in both programs")
                : Finding.failed("the graphs have " + nodes[0] + " nodes, on a blocking stream " + nodes[1]);
    }

    /** Neither device memory nor the heap grows with the number of steps, and a replay takes nothing from the heap. */
    private static Finding flat(Target target) {
        int steps = target.device().equals("reference") ? 20 : 1000;
        boolean heap = !target.device().equals("reference");
        try (Device device = target.open();
                TrainingStep step = new TrainingStep(device, lenet(), Method.ADAFISHER, Precision.FP32, SEED, 10)) {
            for (int i = 0; i < steps / 5; i++) {
                step.step();
            }
            device.synchronize();
            Device.MemoryUse before = device.memoryUse();
            int live = device.live();
            long resident = resident();
            for (int i = 0; i < steps; i++) {
                step.step();
            }
            device.synchronize();
            Device.MemoryUse after = device.memoryUse();
            long grown = (resident() - resident) >> 20;
            long least = heap ? heapPerRound(step.program()) : 0;
            String figures = steps + " steps: " + (after.bytes() >> 10) + " KiB on the device, " + least
                    + " bytes of heap in 100 replays, process " + (grown >= 0 ? "+" : "") + grown + " MiB";
            boolean good = after.bytes() == before.bytes()
                    && after.peakBytes() == before.peakBytes()
                    && device.live() == live
                    && least < NO_OBJECT
                    && grown < 64
                    && Double.isFinite(step.loss());
            return new Finding(good, figures);
        }
    }

    /** The heap that 100 replays take once all code is compiled, which takes thousands: the least of several rounds. */
    private static long heapPerRound(Program program) {
        long least = Long.MAX_VALUE;
        for (int round = 0; round < 100 && least >= NO_OBJECT; round++) {
            long before = allocated();
            for (int i = 0; i < 100; i++) {
                program.replay();
            }
            least = Math.min(least, allocated() - before);
        }
        return least;
    }

    private static long allocated() {
        return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
    }

    /** The process's memory in bytes, or 0 where the system does not say. */
    private static long resident() {
        try {
            for (String line : java.nio.file.Files.readAllLines(java.nio.file.Path.of("/proc/self/status"))) {
                if (line.startsWith("VmRSS:")) {
                    return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
                }
            }
            return 0;
        } catch (java.io.IOException e) {
            return 0;
        }
    }
}
