package io.kingfisher.runtime.cuda;

import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.cuda.driver.Driver;
import io.kingfisher.runtime.plan.Instruction;
import java.util.List;

/** Runs steps one by one: before a capture, between graphs, for profilers and to find mistakes. */
final class StepRunner {
    private final CudaDevice device;
    private final Driver driver;
    private final List<Instruction<CudaStep>> instructions;
    private final CudaStep[] steps;
    private final boolean ranges;
    private final boolean waits;

    /** The steps of the instructions. */
    StepRunner(CudaDevice device, List<Instruction<CudaStep>> instructions, List<CudaStep> steps) {
        this.device = device;
        this.driver = device.driver();
        this.instructions = instructions;
        this.steps = steps.toArray(CudaStep[]::new);
        this.ranges = device.options().execution() == DeviceOptions.Execution.PLAIN;
        this.waits = CudaDevice.debugging();
    }

    CudaStep step(int i) {
        return steps[i];
    }

    int size() {
        return steps.length;
    }

    /** Enqueues steps, each waited for or in a range where that is asked for. */
    void run(int from, int to) {
        for (int i = from; i < to; i++) {
            if (waits) {
                runAndWait(i);
            } else if (ranges) {
                driver.pushRange(name(i));
                steps[i].run(driver, device.stream());
                driver.popRange();
            } else {
                steps[i].run(driver, device.stream());
            }
        }
    }

    /** Runs a step and waits for it, so that an error is its own. */
    void runAndWait(int i) {
        try {
            steps[i].run(driver, device.stream());
            driver.synchronize(device.stream());
        } catch (NativeException e) {
            throw new KingfisherException(
                    "The step " + name(i) + " failed on " + device.name() + ": " + e.getMessage() + ".", e);
        }
    }

    private String name(int i) {
        Instruction<CudaStep> instruction = instructions.get(i);
        return instruction.what() + (instruction.scope().isEmpty() ? "" : " in " + instruction.scope());
    }

    int calls(int from, int to) {
        int calls = 0;
        for (int i = from; i < to; i++) {
            calls += instructions.get(i).nativeCalls() + (waits ? 1 : 0) + (ranges ? 2 : 0);
        }
        return calls;
    }

    /** A step a line. */
    String describe() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < instructions.size(); i++) {
            text.append(i).append(": ").append(name(i)).append('\n');
        }
        return text.toString();
    }
}
