package io.kingfisher.runtime.cuda;

import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Memory;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.cuda.driver.Driver;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.plan.Buffer;
import io.kingfisher.runtime.plan.Instruction;
import io.kingfisher.runtime.plan.MemoryPlan;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Steps that have run once, then captured: a replay uploads the inputs that were touched and launches a graph, or several
 * with calls between them that cannot be captured.
 */
final class CudaProgram implements Program {
    /** Outputs up to this size are downloaded by the replay itself. */
    private static final long SMALL = 64 << 10;

    private static final long PIN_ALIGNMENT = 256;

    private final CudaDevice device;
    private final Driver driver;
    private final Resources resources;
    private final MemoryPlan plan;
    private final List<Instruction<CudaStep>> instructions;
    private final StepRunner runner;
    private final Segment[] segments;
    private final Map<String, Tensor> inputs = new LinkedHashMap<>();
    private final Map<String, Tensor> outputs = new LinkedHashMap<>();
    private final InputMemory[] inputMemory;
    private final Tensor[] tensors;
    /** After the uploads of even replays, and of odd ones. */
    private final long[] uploaded = new long[2];

    private final long done;
    private int parity;
    private boolean pending;
    private boolean closed;

    /** Runs the steps once and captures them; the caller holds the device's lock and is on its thread. */
    CudaProgram(
            CudaDevice device,
            Resources resources,
            MemoryPlan plan,
            List<Instruction<CudaStep>> instructions,
            List<CudaStep> steps,
            Graph graph,
            Map<String, Buffer> inputs,
            Map<String, Buffer> outputs,
            Map<Tensor, Buffer> tensors) {
        this.device = device;
        this.driver = device.driver();
        this.resources = resources;
        this.plan = plan;
        this.instructions = List.copyOf(instructions);
        this.tensors = tensors.keySet().toArray(Tensor[]::new);
        for (int i = 0; i < uploaded.length; i++) {
            uploaded[i] = event();
        }
        this.done = event();
        List<CudaStep> all = new ArrayList<>(steps);
        this.inputMemory = pin(graph, inputs, outputs, all);
        this.runner = new StepRunner(device, this.instructions, all);
        new WarmUp(device, runner, inputs.values(), graph.assignments().keySet()).run();
        this.segments = new Capture(device, resources, runner).segments(all);
    }

    private long event() {
        long event = driver.createEvent(false);
        resources.add(() -> driver.destroyEvent(event));
        return event;
    }

    /** Gives inputs and small outputs their pinned memory, and adds the steps that download the outputs. */
    private InputMemory[] pin(Graph graph, Map<String, Buffer> in, Map<String, Buffer> out, List<CudaStep> steps) {
        long bytes = 0;
        for (Buffer buffer : in.values()) {
            bytes += 2 * aligned(buffer.bytes());
        }
        for (Value value : graph.outputs().values()) {
            bytes += value.type().bytes() <= SMALL ? aligned(value.type().bytes()) : 0;
        }
        MemorySegment pinned = bytes == 0 ? MemorySegment.NULL : driver.allocatePinned(bytes);
        if (bytes > 0) {
            pinned.fill((byte) 0);
            resources.add(() -> driver.freePinned(pinned));
        }
        List<InputMemory> all = new ArrayList<>();
        long at = 0;
        for (var entry : graph.inputs().entrySet()) {
            Type type = entry.getValue().type();
            MemorySegment first = pinned.asSlice(at, type.bytes());
            at += aligned(type.bytes());
            MemorySegment second = pinned.asSlice(at, type.bytes());
            at += aligned(type.bytes());
            InputMemory memory = new InputMemory(device, in.get(entry.getKey()).address(), first, second);
            all.add(memory);
            inputs.put(entry.getKey(), device.tensor(type.dtype(), type.shape(), memory));
        }
        for (var entry : graph.outputs().entrySet()) {
            Type type = entry.getValue().type();
            long address = out.get(entry.getKey()).address();
            Memory memory;
            if (type.bytes() <= SMALL) {
                MemorySegment slot = pinned.asSlice(at, type.bytes());
                at += aligned(type.bytes());
                memory = new OutputMemory(this, address, slot);
                if (type.bytes() > 0) {
                    steps.add(new CudaStep.Download(slot, address));
                }
            } else {
                memory = new DeviceMemory(device, address, false);
            }
            outputs.put(entry.getKey(), device.tensor(type.dtype(), type.shape(), memory));
        }
        // An input of no bytes has nothing to upload.
        return all.stream()
                .filter(memory -> memory.host(Memory.Access.READ).byteSize() > 0)
                .toArray(InputMemory[]::new);
    }

    private static long aligned(long bytes) {
        return (bytes + PIN_ALIGNMENT - 1) & -PIN_ALIGNMENT;
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
        device.lock().lock();
        try {
            check();
            driver.enter();
            upload();
            driver.pushRange("replay");
            for (Segment segment : segments) {
                segment.run();
            }
            driver.popRange();
            driver.record(done, device.stream());
            pending = true;
        } catch (NativeException e) {
            throw CudaDevice.failed("A replay on " + device.name(), e);
        } finally {
            device.lock().unlock();
        }
    }

    private void upload() {
        long event = uploaded[parity];
        boolean any = false;
        for (InputMemory input : inputMemory) {
            if (input.touched()) {
                input.upload(driver, device.stream(), event);
                any = true;
            }
        }
        if (any) {
            driver.record(event, device.stream());
            parity = 1 - parity;
        }
    }

    /** Waits until the last replay is done. */
    void awaitReplay() {
        if (pending) {
            device.await(done);
            pending = false;
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

    CudaDevice device() {
        return device;
    }

    @Override
    public long arenaBytes() {
        return plan.bytes();
    }

    @Override
    public int nativeCalls() {
        // The context, the range, the event; the inputs with theirs.
        int calls = 4 + (inputMemory.length == 0 ? 0 : inputMemory.length + 1);
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
            inputs.values().forEach(Tensor::close);
            outputs.values().forEach(Tensor::close);
            device.closed(this);
            driver.enter();
            driver.synchronize(device.stream());
            resources.close();
        } finally {
            device.lock().unlock();
        }
    }
}
