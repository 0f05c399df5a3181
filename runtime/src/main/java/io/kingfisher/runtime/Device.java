package io.kingfisher.runtime;

import io.kingfisher.nativebindings.CudaLibrary;
import io.kingfisher.runtime.cpu.CpuDevice;
import io.kingfisher.runtime.cuda.CudaDevices;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.reference.ReferenceDevice;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Where tensors live and programs run. A device owns everything made on it: closing it closes the tensors and programs that
 * are still open. Opening and allocating are thread-safe.
 */
public abstract class Device implements AutoCloseable {
    private final Set<AutoCloseable> owned = new LinkedHashSet<>();
    private boolean closed;
    private long bytes, peakBytes;

    protected Device() {}

    /**
     * Opens a device with the default number of threads ({@code KINGFISHER_THREADS}, else all processors).
     *
     * @param name {@code auto}: the {@linkplain #best best}; {@code cuda:0} and so on: NVIDIA's GPUs; {@code cpu}: oneDNN,
     *     OpenBLAS and the Vector API; {@code reference}: plain Java in double precision, slow, to check the others against
     * @throws KingfisherException if there is no such device or it cannot be opened, and why
     */
    public static Device open(String name) {
        return open(name, DeviceOptions.defaults());
    }

    public static Device open(String name, DeviceOptions options) {
        if (options.tf32() && (name.equals("cpu") || name.equals("reference"))) {
            throw new KingfisherException(noTf32(name));
        }
        return switch (name) {
            case "auto" -> best(options);
            case "cpu" -> new CpuDevice(options);
            case "reference" -> new ReferenceDevice();
            case String gpu when CudaDevices.isName(gpu) -> CudaDevices.open(gpu, options);
            default ->
                throw new KingfisherException(
                        "There is no device '" + name + "'; choose auto, cuda:0 (and so on), cpu or reference.");
        };
    }

    private static String noTf32(String name) {
        return "The device " + name
                + " has no TF32, which is a type of NVIDIA's GPUs; choose the precision fp32 or bf16, or a device cuda:0.";
    }

    public static Device best() {
        return best(DeviceOptions.defaults());
    }

    /**
     * A GPU where one can be used, else the processor. Its {@link #report()} then says why it is not a GPU, and its
     * {@link #notes()} do where there is a driver, so that one would expect a GPU.
     *
     * @throws KingfisherException if neither can be opened as the options ask, and why
     */
    public static Device best(DeviceOptions options) {
        try {
            return open("cuda:0", options);
        } catch (KingfisherException gpu) {
            if (options.tf32()) {
                throw new KingfisherException(noTf32("cpu") + " " + gpu.getMessage(), gpu);
            }
            CpuDevice cpu;
            try {
                cpu = new CpuDevice(options);
            } catch (KingfisherException e) {
                throw new KingfisherException(e.getMessage() + " " + gpu.getMessage(), e);
            }
            cpu.taken("not cuda:0: " + gpu.getMessage(), CudaLibrary.hasDriver());
            return cpu;
        }
    }

    /** The name by which it was opened. */
    public abstract String name();

    /** What the device is made of, a fact a line: libraries with paths and versions, threads, instruction sets. */
    public abstract List<String> report();

    /** What who starts something on the device should hear of how it was chosen, a line each; mostly nothing. */
    public List<String> notes() {
        return List.of();
    }

    /** Compiles a graph whose tensors are all on this device. */
    public final Program compile(Graph graph) {
        open();
        graph.nodes().stream()
                .flatMap(node -> node.op() instanceof io.kingfisher.runtime.graph.Source.Bound(Tensor tensor)
                        ? java.util.stream.Stream.of(tensor)
                        : java.util.stream.Stream.empty())
                .forEach(this::check);
        graph.assignments().keySet().forEach(this::check);
        Program program = prepare(graph);
        own(program);
        return program;
    }

    private void check(Tensor tensor) {
        if (tensor.device() != this) {
            throw new KingfisherException("The graph uses a tensor " + tensor.dtype() + tensor.shape()
                    + " of the device " + tensor.device().name() + "; allocate it on " + name() + ".");
        }
        tensor.address();
    }

    protected abstract Program prepare(Graph graph);

    /** A new tensor of zeros. */
    public final Tensor allocate(DType dtype, Shape shape) {
        open();
        long bytes = Math.multiplyExact(shape.elements(), (long) dtype.bytes());
        Memory memory;
        try {
            memory = reserve(bytes, dtype, shape);
        } catch (OutOfMemoryError e) {
            throw new KingfisherException(
                    "There is no memory for a tensor " + dtype + shape + " of " + bytes + " bytes on " + name() + ".",
                    e);
        }
        Tensor tensor = new Tensor(this, dtype, shape, memory);
        own(tensor);
        return tensor;
    }

    /**
     * Zeroed memory for a tensor, which frees it; the host's where the device does not say otherwise.
     *
     * @throws OutOfMemoryError where there is not as much
     */
    protected Memory reserve(long bytes, DType dtype, Shape shape) {
        return HostMemory.allocate(bytes);
    }

    /** A tensor over memory that the caller keeps alive, such as a program's arena. */
    protected final Tensor view(DType dtype, Shape shape, MemorySegment memory) {
        return new Tensor(this, dtype, shape, new HostMemory(memory, null));
    }

    /** A tensor over a device's own memory. Closing the tensor frees it. */
    protected final Tensor view(DType dtype, Shape shape, Memory memory) {
        return new Tensor(this, dtype, shape, memory);
    }

    private synchronized void own(AutoCloseable thing) {
        owned.add(thing);
        bytes += bytes(thing);
        peakBytes = Math.max(peakBytes, bytes);
    }

    /** Called when something that the device owns has been closed. */
    protected final synchronized void forget(AutoCloseable thing) {
        if (owned.remove(thing)) {
            bytes -= bytes(thing);
        }
    }

    private static long bytes(AutoCloseable thing) {
        return switch (thing) {
            case Tensor tensor -> tensor.bytes();
            case Program program -> program.arenaBytes();
            default -> 0;
        };
    }

    /**
     * The memory of what is open on a device.
     *
     * @param bytes of the tensors and of the programs' blocks of memory
     * @param peakBytes the most of these since the device was opened
     */
    public record MemoryUse(long bytes, long peakBytes) {}

    /** How much memory the open tensors and programs take. */
    public synchronized MemoryUse memoryUse() {
        return new MemoryUse(bytes, peakBytes);
    }

    /** Waits until everything that was asked of the device is done; at once where it runs nothing behind the host. */
    public void synchronize() {}

    /** The tensors and programs that are open. */
    public final synchronized int live() {
        return owned.size();
    }

    /** Fails where the device is closed. */
    protected final synchronized void open() {
        if (closed) {
            throw new KingfisherException("The device " + name() + " is closed; open it again.");
        }
    }

    /** Closes everything made on the device, programs first, and the device. */
    @Override
    public void close() {
        List<AutoCloseable> things;
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            things = List.copyOf(owned);
        }
        things.stream().filter(Program.class::isInstance).forEach(program -> ((Program) program).close());
        things.stream().filter(Tensor.class::isInstance).forEach(tensor -> ((Tensor) tensor).close());
    }
}
