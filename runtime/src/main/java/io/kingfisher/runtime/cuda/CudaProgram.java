package io.kingfisher.runtime.cuda;

import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.cuda.driver.Driver;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.plan.Instruction;
import io.kingfisher.runtime.plan.MemoryPlan;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Steps that have run once, then captured: a replay uploads the inputs that were touched and launches a graph, or several
 * with calls between them that cannot be captured.
 */
final class CudaProgram implements Program {
    private final CudaDevice device;
    private final Driver driver;
    private final Resources resources;
    private final MemoryPlan plan;
    private final Ports ports;
    private final StepRunner runner;
    private final Segment[] segments;
    private final Inputs inputs;
    private final Outputs outputs;
    private final Tensor[] tensors;
    private boolean closed;

    /** Runs the steps once and captures them; the caller holds the device's lock and is on its thread. */
    CudaProgram(
            CudaDevice device,
            Resources resources,
            MemoryPlan plan,
            Ports ports,
            List<Instruction<CudaStep>> instructions,
            List<CudaStep> steps,
            Graph graph,
            Set<Tensor> tensors) {
        this.device = device;
        this.driver = device.driver();
        this.resources = resources;
        this.plan = plan;
        this.ports = ports;
        this.tensors = tensors.toArray(Tensor[]::new);
        long in = 2 * ports.inputBytes(), out = Outputs.SLOTS * ports.outputBytes();
        MemorySegment pinned = in + out == 0 ? MemorySegment.NULL : driver.allocatePinned(in + out);
        if (in + out > 0) {
            pinned.fill((byte) 0);
            resources.add(() -> driver.freePinned(pinned));
        }
        this.inputs = new Inputs(device, resources, ports, pinned.asSlice(0, in));
        this.outputs = new Outputs(device, resources, ports, pinned.asSlice(in, out));
        this.runner = new StepRunner(device, instructions, steps);
        new WarmUp(device, runner, ports, graph.assignments().keySet()).run();
        this.segments = new Capture(device, resources, runner).segments(steps);
    }

    @Override
    public Tensor input(String name) {
        return named(inputs.tensors(), name, "input");
    }

    @Override
    public Tensor output(String name) {
        return output(name, 0);
    }

    @Override
    public int history() {
        return Outputs.HISTORY;
    }

    @Override
    public Tensor output(String name, int back) {
        Tensor[] kept = named(outputs.tensors(), name, "output");
        if (back < 0 || back >= kept.length) {
            throw new KingfisherException("The output '" + name + "' is kept of the last "
                    + (kept.length == 1 ? "replay" : kept.length + " replays") + " only, not of one " + back
                    + " replays before; read it before the next replay.");
        }
        return kept[back];
    }

    private static <T> T named(Map<String, T> all, String name, String what) {
        T found = all.get(name);
        if (found == null) {
            throw new KingfisherException(
                    "The program has no " + what + " '" + name + "'; it has " + all.keySet() + ".");
        }
        return found;
    }

    @Override
    public void replay() {
        device.lock().lock();
        try {
            check();
            driver.enter();
            inputs.upload();
            driver.pushRange("replay");
            for (Segment segment : segments) {
                segment.run();
            }
            driver.popRange();
            outputs.download();
        } catch (NativeException e) {
            throw CudaDevice.failed("A replay on " + device.name(), e);
        } finally {
            device.lock().unlock();
        }
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
    }

    @Override
    public long arenaBytes() {
        return plan.bytes() + ports.bytes();
    }

    @Override
    public int nativeCalls() {
        // The context and the range.
        int calls = 3 + inputs.calls() + outputs.calls();
        for (Segment segment : segments) {
            calls += segment.calls();
        }
        return calls;
    }

    @Override
    public int graphNodes() {
        int nodes = 0;
        for (Segment segment : segments) {
            nodes += segment.nodes();
        }
        return nodes;
    }

    @Override
    public String describe() {
        return runner.describe();
    }

    /** Where each buffer is in the program's block, a line each. */
    List<String> memory() {
        return plan.lines();
    }

    @Override
    public void close() {
        device.lock().lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            inputs.tensors().values().forEach(Tensor::close);
            outputs.tensors().values().forEach(kept -> Arrays.stream(kept).forEach(Tensor::close));
            device.closed(this);
            driver.enter();
            driver.synchronize(device.uploadStream());
            driver.synchronize(device.stream());
            resources.close();
        } finally {
            device.lock().unlock();
        }
    }
}
