package io.kingfisher.train.selftest;

import io.kingfisher.layers.Precision;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.conformance.Circumstances;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.train.selftest.Check.Finding;
import io.kingfisher.train.selftest.Check.Target;
import io.kingfisher.train.workload.Method;
import io.kingfisher.train.workload.TrainingStep;
import java.util.List;

/** Wrong uses are refused with one sentence, and leave the device as it was. */
final class RefusalChecks {
    private RefusalChecks() {}

    static List<Check> all() {
        return List.of(
                new Check("a closed device refuses", false, RefusalChecks::closedDevice),
                new Check("a closed tensor refuses", false, RefusalChecks::closedTensor),
                new Check("out of memory is survived", false, RefusalChecks::outOfMemory),
                new Check("a device that is not there refuses", false, RefusalChecks::noSuchDevice),
                new Check("too old a driver refuses", false, RefusalChecks::oldDriver),
                new Check("closing frees everything", false, RefusalChecks::frees));
    }

    /** Passes where the action throws our exception with these words in its message, which is one line and ends as a sentence. */
    private static Finding refuses(Runnable action, String... words) {
        try {
            action.run();
        } catch (KingfisherException e) {
            String message = String.valueOf(e.getMessage());
            for (String word : words) {
                if (!message.contains(word)) {
                    return Finding.failed("the message does not say '" + word + "': " + message);
                }
            }
            if (message.lines().count() != 1 || !message.endsWith(".")) {
                return Finding.failed("the message is not one sentence: " + message);
            }
            return Finding.passed(message.length() > 100 ? message.substring(0, 97) + "..." : message);
        }
        return Finding.failed("nothing was refused");
    }

    private static Program addition(Device device, Tensor tensor) {
        Graph graph = new Graph();
        graph.output("sum", graph.read(tensor).add(1));
        return device.compile(graph);
    }

    private static Finding closedDevice(Target target) {
        Device device = target.open();
        Tensor tensor = device.allocate(DType.F32, Shape.of(3));
        Program program = addition(device, tensor);
        program.replay();
        device.close();
        Finding replay = refuses(program::replay, "closed");
        return replay.passed() ? refuses(() -> device.allocate(DType.F32, Shape.of(3)), "closed") : replay;
    }

    private static Finding closedTensor(Target target) {
        try (Device device = target.open()) {
            Tensor tensor = device.allocate(DType.F32, Shape.of(3));
            tensor.close();
            return refuses(() -> addition(device, tensor), "closed");
        }
    }

    private static Finding outOfMemory(Target target) {
        try (Device device = target.open()) {
            Finding finding = refuses(() -> device.allocate(DType.F32, Shape.of(1L << 22, 1L << 22)), "bytes");
            if (!finding.passed()) {
                return finding;
            }
            Tensor tensor = device.allocate(DType.F32, Shape.of(3));
            tensor.write(1f, 2f, 3f);
            Program program = addition(device, tensor);
            program.replay();
            boolean works = java.util.Arrays.equals(
                    new double[] {2, 3, 4}, program.output("sum").doubles());
            return works ? finding : Finding.failed("the device computes nothing right afterwards");
        }
    }

    private static Finding noSuchDevice(Target target) {
        String name = target.gpu() ? "cuda:4096" : target.device() + ":4096";
        return refuses(() -> Device.open(name).close(), name);
    }

    /** The driver of CUDA 11.8 cannot launch graphs as we do; GPUs are asked for whatever device is checked. */
    private static Finding oldDriver(Target target) {
        String name = target.gpu() ? target.device() : "cuda:0";
        return refuses(() -> Circumstances.openWithDriver(name, 11080).close(), name, "11.8", "12.4 or newer");
    }

    private static Finding frees(Target target) {
        try (Device device = target.open()) {
            long before = device.memoryUse().bytes();
            try (TrainingStep step =
                    new TrainingStep(device, ReplayChecks.lenet(), Method.ADAFISHER, Precision.FP32, 1)) {
                step.step();
                step.loss();
            }
            return device.live() == 0 && device.memoryUse().bytes() == before
                    ? Finding.passed("nothing is left")
                    : Finding.failed(
                            device.live() + " things of " + device.memoryUse().bytes() + " bytes are left");
        }
    }
}
