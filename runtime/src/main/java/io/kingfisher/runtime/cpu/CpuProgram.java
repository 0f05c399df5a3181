package io.kingfisher.runtime.cpu;

import io.kingfisher.nativebindings.NativeThreads;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.ProgramStep;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.plan.Instruction;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** A flat list of prepared steps. */
final class CpuProgram implements Program {
    private final CpuDevice device;
    private final Resources resources;
    private final long arenaBytes;
    private final List<Instruction<CpuStep>> instructions;
    private final CpuStep[] steps;
    private final double[] flops;
    private final double[] bytes;
    private final Map<String, Tensor> inputs;
    private final Map<String, Tensor> outputs;
    private final Tensor[] tensors;
    private Thread thread;
    private boolean closed;

    CpuProgram(
            CpuDevice device,
            Resources resources,
            long arenaBytes,
            List<Instruction<CpuStep>> instructions,
            List<CpuStep> steps,
            double[] flops,
            double[] bytes,
            Map<String, Tensor> inputs,
            Map<String, Tensor> outputs,
            Collection<Tensor> tensors) {
        this.device = device;
        this.resources = resources;
        this.arenaBytes = arenaBytes;
        this.instructions = List.copyOf(instructions);
        this.steps = steps.toArray(CpuStep[]::new);
        this.flops = flops;
        this.bytes = bytes;
        this.inputs = inputs;
        this.outputs = outputs;
        this.tensors = tensors.toArray(Tensor[]::new);
    }

    @Override
    public Tensor input(String name) {
        return named(inputs, name, "input");
    }

    @Override
    public Tensor output(String name) {
        return named(outputs, name, "output");
    }

    private static Tensor named(Map<String, Tensor> tensors, String name, String what) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new KingfisherException(
                    "The program has no " + what + " '" + name + "'; it has " + tensors.keySet() + ".");
        }
        return tensor;
    }

    @Override
    public void replay() {
        check();
        CpuStep[] all = steps;
        int i = 0;
        try {
            for (; i < all.length; i++) {
                all[i].run();
            }
        } catch (RuntimeException e) {
            Instruction<CpuStep> failed = instructions.get(i);
            throw new KingfisherException(
                    "The step " + failed.what() + (failed.scope().isEmpty() ? "" : " in " + failed.scope())
                            + " failed: " + e.getMessage() + ".",
                    e);
        }
    }

    /** The median time of each step over some replays, in microseconds, in the order of {@link #describe}. */
    double[] profile(int replays) {
        long[][] times = new long[steps.length][replays];
        for (int r = 0; r < replays; r++) {
            check();
            for (int i = 0; i < steps.length; i++) {
                long start = System.nanoTime();
                steps[i].run();
                times[i][r] = System.nanoTime() - start;
            }
        }
        return java.util.Arrays.stream(times)
                .mapToDouble(t -> {
                    java.util.Arrays.sort(t);
                    return t[replays / 2] / 1e3;
                })
                .toArray();
    }

    @Override
    public List<ProgramStep> steps() {
        return IntStream.range(0, steps.length).mapToObj(this::step).toList();
    }

    private ProgramStep step(int i) {
        Instruction<CpuStep> of = instructions.get(i);
        return new ProgramStep(of.what(), of.scope(), of.nativeCalls(), flops[i], bytes[i], () -> {
            check();
            steps[i].run();
        });
    }

    private void check() {
        if (closed) {
            throw new KingfisherException(
                    device.ended()
                            ? "The device " + device.name() + " of the program is closed; open it and compile again."
                            : "The program is closed; compile its graph again.");
        }
        for (Tensor tensor : tensors) {
            if (tensor.isClosed()) {
                throw new KingfisherException("The program uses a closed tensor " + tensor.dtype() + tensor.shape()
                        + "; close programs before the tensors that they use.");
            }
        }
        Thread current = Thread.currentThread();
        if (thread != current) {
            // OpenMP counts threads per calling thread.
            NativeThreads.setOpenMp(device.threads());
            thread = current;
        }
    }

    @Override
    public long arenaBytes() {
        return arenaBytes;
    }

    @Override
    public int nativeCalls() {
        return instructions.stream().mapToInt(Instruction::nativeCalls).sum();
    }

    @Override
    public String describe() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < instructions.size(); i++) {
            Instruction<CpuStep> instruction = instructions.get(i);
            text.append(i).append(": ").append(instruction.what());
            if (!instruction.scope().isEmpty()) {
                text.append(" in ").append(instruction.scope());
            }
            text.append('\n');
        }
        return text.toString();
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            inputs.values().forEach(Tensor::close);
            outputs.values().forEach(Tensor::close);
            device.closed(this);
            resources.close();
        }
    }
}
