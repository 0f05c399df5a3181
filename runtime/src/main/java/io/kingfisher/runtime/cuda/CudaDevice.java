package io.kingfisher.runtime.cuda;

import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Memory;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.cuda.driver.Driver;
import io.kingfisher.runtime.cuda.kernels.KernelEngine;
import io.kingfisher.runtime.cuda.math.MathLibraries;
import io.kingfisher.runtime.graph.Graph;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * An NVIDIA GPU. All programs and copies of the device go through one stream in the order in which they are asked for; only
 * programs' inputs come on a stream of their own, ahead of the replay that waits for them.
 *
 * <p>Any thread may call, virtual ones included: whoever calls takes the device's lock and makes the context current, and
 * nothing between that and the driver's function lets a virtual thread move to another carrier. Compiling is handed to one
 * platform thread of the device, for a capture must begin and end on the thread that makes its calls.
 */
public final class CudaDevice extends Device {
    private final String name;
    private final Driver driver;
    private final MathLibraries math;
    private final KernelCompiler compiler;
    private final DeviceOptions options;
    private final KernelEngine engine;
    private final ReentrantLock lock = new ReentrantLock();
    private final ExecutorService thread;
    private final long stream;
    private final long uploadStream;
    private final long captureStream;
    private final Staging staging;
    private boolean ended;

    /**
     * A device over a driver whose context is open. Takes over all that it is given and closes it.
     *
     * @param name by which it was opened, such as {@code cuda:0}
     */
    public CudaDevice(String name, Driver driver, MathLibraries math, KernelCompiler compiler, DeviceOptions options) {
        this.name = name;
        this.driver = driver;
        this.math = math;
        this.compiler = compiler;
        this.options = options;
        driver.enter();
        this.engine = new KernelEngine(driver.properties());
        this.stream = driver.createStream();
        this.uploadStream = driver.createStream();
        // Not the stream of the replays: a copy that another thread asks for meanwhile must not end in the graph.
        boolean blocking = options.execution() == DeviceOptions.Execution.BLOCKING;
        this.captureStream = blocking ? driver.createBlockingStream() : driver.createStream();
        // Handles and their workspaces are allocated, which nothing may be during a capture.
        math.prepare(stream);
        math.prepare(captureStream);
        this.staging = new Staging(driver);
        this.thread = Executors.newSingleThreadExecutor(
                Thread.ofPlatform().daemon().name("kingfisher-" + name).factory());
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<String> report() {
        Driver.Properties p = driver.properties();
        List<String> lines = new ArrayList<>();
        lines.add(name + ": " + p.name() + ", compute capability " + p.major() + "." + p.minor() + ", "
                + p.multiprocessors() + " multiprocessors, " + gibibytes(p.memoryBytes()) + ", driver for CUDA "
                + p.driverVersion() / 1000 + "." + p.driverVersion() % 1000 / 10);
        MemoryUse use = memoryUse();
        long[] free = locked(driver::memory);
        lines.add("memory: " + gibibytes(use.bytes()) + " in open tensors and programs, " + gibibytes(use.peakBytes())
                + " at most so far; " + gibibytes(free[0]) + " of " + gibibytes(free[1]) + " free");
        lines.add("products of F32: " + (options.tf32() ? "TF32" : "F32") + "; programs run "
                + (graphs()
                        ? "as CUDA graphs"
                        : "step by step" + (debugging() ? ", as KINGFISHER_DEBUG=sync asks" : ", for profilers")));
        lines.addAll(compiler.report());
        lines.addAll(math.report());
        return lines;
    }

    static String gibibytes(long bytes) {
        return bytes < 1 << 20
                ? String.format(Locale.ROOT, "%.1f KiB", bytes / 1024.0)
                : bytes < 1 << 30
                        ? String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0)
                        : String.format(Locale.ROOT, "%.2f GiB", bytes / 1073741824.0);
    }

    Driver driver() {
        return driver;
    }

    MathLibraries math() {
        return math;
    }

    KernelCompiler compiler() {
        return compiler;
    }

    KernelEngine engine() {
        return engine;
    }

    DeviceOptions options() {
        return options;
    }

    ReentrantLock lock() {
        return lock;
    }

    long stream() {
        return stream;
    }

    /** Where programs' inputs are uploaded while earlier replays run. */
    long uploadStream() {
        return uploadStream;
    }

    long captureStream() {
        return captureStream;
    }

    /** Whether every step is waited for, so that an error names it. */
    static boolean debugging() {
        return "sync".equals(System.getProperty("kingfisher.debug", System.getenv("KINGFISHER_DEBUG")));
    }

    /** Whether programs are captured. */
    boolean graphs() {
        return options.execution() != DeviceOptions.Execution.PLAIN && !debugging();
    }

    /** Does something with the context current, alone. */
    private <T> T locked(Supplier<T> work) {
        lock.lock();
        try {
            enter();
            return work.get();
        } catch (NativeException e) {
            throw failed("A copy or an allocation on " + name, e);
        } finally {
            lock.unlock();
        }
    }

    private void enter() {
        if (ended) {
            throw new KingfisherException("The device " + name + " is closed; open it again.");
        }
        driver.enter();
    }

    /** The exception for what a driver's function says, which may be the fault of earlier work. */
    static KingfisherException failed(String what, NativeException e) {
        return new KingfisherException(
                what + " failed: " + e.getMessage()
                        + ". Where earlier work is to blame, KINGFISHER_DEBUG=sync names the op and its layer.",
                e);
    }

    @Override
    protected Program prepare(Graph graph) {
        try {
            return CompletableFuture.supplyAsync(() -> locked(() -> new CudaCompiler(this, graph).compile()), thread)
                    .join();
        } catch (CompletionException e) {
            switch (e.getCause()) {
                case KingfisherException cause -> throw new KingfisherException(cause.getMessage(), cause);
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                default -> throw e;
            }
        }
    }

    @Override
    protected Memory reserve(long bytes, DType dtype, Shape shape) {
        return locked(() -> {
            long address = allocate(bytes, () -> "a tensor " + dtype + shape);
            driver.fill(address, (byte) 0, Math.max(bytes, 1), stream);
            return new DeviceMemory(this, address, true);
        });
    }

    /** Device memory; the caller holds the lock. */
    long allocate(long bytes, Supplier<String> what) {
        try {
            return driver.allocate(Math.max(bytes, 1));
        } catch (NativeException e) {
            long[] memory = driver.memory();
            if (memory[0] >= bytes && !e.statusName().contains("MEMORY")) {
                throw e;
            }
            throw new KingfisherException(
                    "There is no memory on " + name + " for " + what.get() + " of " + bytes + " bytes: "
                            + gibibytes(memory[0]) + " of " + gibibytes(memory[1]) + " are free and "
                            + gibibytes(memoryUse().bytes())
                            + " are in open tensors and programs; make the batch or the model smaller, choose bf16,"
                            + " or close what is not needed any more.",
                    e);
        }
    }

    void download(MemorySegment to, long from) {
        if (to.byteSize() > 0) {
            locked(() -> {
                driver.download(to, from, stream);
                driver.synchronize(stream);
                return null;
            });
        }
    }

    /** Part of every training step, for its scalars: allocates nothing. */
    void upload(long to, MemorySegment from) {
        if (from.byteSize() == 0) {
            return;
        }
        lock.lock();
        try {
            enter();
            if (from.byteSize() <= Staging.SLOT) {
                staging.write(to, from, stream);
            } else {
                driver.upload(to, from, stream);
                driver.synchronize(stream);
            }
        } catch (NativeException e) {
            throw failed("A copy to " + name, e);
        } finally {
            lock.unlock();
        }
    }

    /** Waits for an event; allocates nothing. */
    void await(long event) {
        lock.lock();
        try {
            enter();
            driver.synchronizeEvent(event);
        } catch (NativeException e) {
            throw failed("Work on " + name, e);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void synchronize() {
        locked(() -> {
            driver.synchronize(stream);
            return null;
        });
    }

    /** Frees device memory when everything that may use it is done. */
    void release(long address) {
        locked(() -> {
            driver.synchronize(stream);
            driver.free(address);
            return null;
        });
    }

    Tensor tensor(DType dtype, Shape shape, Memory memory) {
        return view(dtype, shape, memory);
    }

    void closed(CudaProgram program) {
        forget(program);
    }

    boolean ended() {
        return ended;
    }

    @Override
    public void close() {
        if (ended) {
            return;
        }
        super.close();
        lock.lock();
        try {
            if (!ended) {
                ended = true;
                driver.enter();
                driver.synchronize(uploadStream);
                driver.synchronize(stream);
                staging.free();
                math.close();
                driver.destroyStream(captureStream);
                driver.destroyStream(uploadStream);
                driver.destroyStream(stream);
                driver.close();
            }
        } finally {
            lock.unlock();
            thread.shutdown();
        }
    }
}
