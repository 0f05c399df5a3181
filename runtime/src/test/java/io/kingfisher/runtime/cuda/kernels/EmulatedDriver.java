package io.kingfisher.runtime.cuda.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.runtime.cuda.KernelCompiler;
import io.kingfisher.runtime.cuda.driver.Driver;
import io.kingfisher.runtime.cuda.kernels.KernelEmulator.Order;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A GPU that is this processor: device memory is host memory, between zones that must stay as they are; modules are sources;
 * all work is done when it is enqueued, or written down while its stream is captured. Misuse that a real driver would answer
 * with an error, and what kernels do wrong, is an {@link AssertionError}. One thread at a time.
 */
public class EmulatedDriver implements Driver, KernelCompiler {
    /** As much as a cache line on each side; device memory is aligned to 256 bytes. */
    private static final int ZONE = 256;

    private static final byte UNTOUCHED = (byte) 0xa5;
    /** What memory holds that nobody has written: a NaN in every floating type. */
    private static final byte UNDEFINED = (byte) 0xff;

    private static final long TOTAL = 4L << 30;

    private final KernelEmulator emulator;
    private final Properties properties;
    private final Map<Long, Arena> pinned = new HashMap<>();
    private final Map<Long, Memory> allocations = new HashMap<>();
    private final Map<Long, KernelCode> modules = new HashMap<>();
    private final Map<KernelCode, Long> loaded = new HashMap<>();
    private final Map<Long, KernelEmulator.Function> functions = new HashMap<>();
    private final Map<Long, Integer> allowedShared = new HashMap<>();
    private final Map<Long, Long> events = new HashMap<>();
    private final Map<Long, List<Runnable>> streams = new HashMap<>();
    private final Map<Long, List<Runnable>> graphs = new HashMap<>();
    private Order order = Order.FORWARD;
    private long used;
    private long lastHandle = 1000;

    private record Memory(Arena arena, MemorySegment whole, long bytes) {}

    public EmulatedDriver(KernelEmulator emulator) {
        this(emulator, Checker.DEVICE);
    }

    public EmulatedDriver(KernelEmulator emulator, Properties properties) {
        this.emulator = emulator;
        this.properties = properties;
    }

    /** In which order threads and blocks run from now on. */
    public void order(Order order) {
        this.order = order;
    }

    @Override
    public Properties properties() {
        return properties;
    }

    @Override
    public void enter() {}

    @Override
    public long allocate(long bytes) {
        if (bytes <= 0) {
            throw new AssertionError("cuMemAlloc refuses " + bytes + " bytes");
        }
        Arena arena = Arena.ofShared();
        MemorySegment whole = arena.allocate(bytes + 2 * ZONE, ZONE);
        whole.fill(UNTOUCHED);
        whole.asSlice(ZONE, bytes).fill(UNDEFINED);
        long address = whole.address() + ZONE;
        allocations.put(address, new Memory(arena, whole, bytes));
        emulator.allocated(address, bytes);
        used += bytes;
        return address;
    }

    @Override
    public void free(long address) {
        Memory memory = allocations.remove(address);
        if (memory == null) {
            throw new AssertionError("nothing is allocated at " + address);
        }
        for (long i = 0; i < ZONE; i++) {
            if (memory.whole.get(JAVA_BYTE, i) != UNTOUCHED
                    || memory.whole.get(JAVA_BYTE, ZONE + memory.bytes + i) != UNTOUCHED) {
                throw new AssertionError("memory beside an allocation of " + memory.bytes + " bytes was written");
            }
        }
        emulator.freed(address);
        used -= memory.bytes;
        memory.arena.close();
    }

    /** The allocations that have not been freed. */
    public int liveAllocations() {
        return allocations.size();
    }

    @Override
    public long[] memory() {
        return new long[] {TOTAL - used, TOTAL};
    }

    @Override
    public MemorySegment allocatePinned(long bytes) {
        Arena arena = Arena.ofShared();
        MemorySegment memory = arena.allocate(Math.max(1, bytes), 64);
        pinned.put(memory.address(), arena);
        return memory;
    }

    @Override
    public void freePinned(MemorySegment memory) {
        Arena arena = pinned.remove(memory.address());
        if (arena == null) {
            throw new AssertionError("no pinned memory is at " + memory.address());
        }
        arena.close();
    }

    private long handle() {
        return ++lastHandle;
    }

    @Override
    public long createStream() {
        long stream = handle();
        streams.put(stream, null);
        return stream;
    }

    @Override
    public void destroyStream(long stream) {
        known(streams.containsKey(stream), "stream", stream);
        streams.remove(stream);
    }

    private static void known(boolean known, String what, long handle) {
        if (!known) {
            throw new AssertionError("there is no " + what + " " + handle);
        }
    }

    @Override
    public void synchronize(long stream) {
        known(streams.containsKey(stream), "stream", stream);
        if (streams.get(stream) != null) {
            throw new AssertionError("a stream that is captured cannot be waited for");
        }
    }

    @Override
    public long createEvent(boolean timed) {
        long event = handle();
        events.put(event, timed ? 0L : -1L);
        return event;
    }

    @Override
    public void destroyEvent(long event) {
        known(events.remove(event) != null, "event", event);
    }

    @Override
    public void record(long event, long stream) {
        known(events.containsKey(event), "event", event);
        enqueue(stream, () -> events.computeIfPresent(event, (_, time) -> time < 0 ? time : System.nanoTime()));
    }

    @Override
    public void await(long stream, long event) {
        known(streams.containsKey(stream), "stream", stream);
        known(events.containsKey(event), "event", event);
    }

    @Override
    public void synchronizeEvent(long event) {
        known(events.containsKey(event), "event", event);
    }

    @Override
    public float elapsed(long start, long end) {
        return (events.get(end) - events.get(start)) / 1e6f;
    }

    /** Does something now, or notes it where the stream is captured. */
    private void enqueue(long stream, Runnable work) {
        known(streams.containsKey(stream), "stream", stream);
        List<Runnable> captured = streams.get(stream);
        if (captured != null) {
            captured.add(work);
        } else {
            work.run();
        }
    }

    /** Does for tests what a library would enqueue. */
    public void call(long stream, Runnable work) {
        enqueue(stream, work);
    }

    private void within(long address, long bytes) {
        if (bytes > 0
                && allocations.entrySet().stream()
                        .noneMatch(entry -> entry.getKey() <= address
                                && address + bytes
                                        <= entry.getKey() + entry.getValue().bytes())) {
            throw new AssertionError(bytes + " bytes at " + address + " are not device memory");
        }
    }

    @Override
    public void upload(long to, MemorySegment from, long stream) {
        within(to, from.byteSize());
        enqueue(stream, () -> NativeMemory.segment(to, from.byteSize()).copyFrom(from));
    }

    @Override
    public void download(MemorySegment to, long from, long stream) {
        within(from, to.byteSize());
        enqueue(stream, () -> to.copyFrom(NativeMemory.segment(from, to.byteSize())));
    }

    @Override
    public void copy(long to, long from, long bytes, long stream) {
        within(to, bytes);
        within(from, bytes);
        enqueue(stream, () -> NativeMemory.segment(to, bytes).copyFrom(NativeMemory.segment(from, bytes)));
    }

    @Override
    public void fill(long to, byte value, long bytes, long stream) {
        within(to, bytes);
        enqueue(stream, () -> NativeMemory.segment(to, bytes).fill(value));
    }

    /** The image is the source in UTF-8. */
    @Override
    public long loadModule(byte[] image, String name) {
        long module = handle();
        modules.put(module, new KernelCode(name, new String(image, StandardCharsets.UTF_8)));
        return module;
    }

    @Override
    public void unloadModule(long module) {
        KernelCode code = modules.remove(module);
        known(code != null, "module", module);
        loaded.remove(code);
    }

    @Override
    public long function(long module, String name) {
        known(modules.containsKey(module), "module", module);
        long function = handle();
        functions.put(function, emulator.function(modules.get(module), name));
        return function;
    }

    @Override
    public void allowShared(long function, int bytes) {
        known(functions.containsKey(function), "function", function);
        if (bytes > properties.sharedBytes()) {
            throw new AssertionError("a block cannot have " + bytes + " bytes of shared memory");
        }
        allowedShared.put(function, bytes);
    }

    @Override
    public void launch(
            long function,
            int gridX,
            int gridY,
            int gridZ,
            int blockX,
            int blockY,
            int blockZ,
            int sharedBytes,
            long stream,
            MemorySegment arguments) {
        KernelEmulator.Function kernel = functions.get(function);
        known(kernel != null, "function", function);
        if (sharedBytes > allowedShared.getOrDefault(function, 48 << 10)) {
            throw new AssertionError(kernel.name() + " may not use " + sharedBytes + " bytes of shared memory");
        }
        int[] grid = {gridX, gridY, gridZ}, block = {blockX, blockY, blockZ};
        if (streams.get(stream) == null) {
            known(streams.containsKey(stream), "stream", stream);
            emulator.launch(kernel, grid, block, sharedBytes, order, arguments);
            return;
        }
        MemorySegment kept = copy(arguments, kernel.parameterBytes());
        enqueue(stream, () -> emulator.launch(kernel, grid, block, sharedBytes, order, kept));
    }

    /** The values of a function's parameters as they are now: the driver takes them before a launch returns. */
    protected final MemorySegment taken(long function, MemorySegment arguments) {
        KernelEmulator.Function kernel = functions.get(function);
        known(kernel != null, "function", function);
        return copy(arguments, kernel.parameterBytes());
    }

    /** The values of a kernel's parameters as they are now. */
    private static MemorySegment copy(MemorySegment arguments, List<Integer> bytes) {
        int count = bytes.size();
        // Addresses, then values, in one segment, so that they live equally long.
        MemorySegment kept = Arena.ofAuto().allocate(16L * Math.max(1, count), 8);
        MemorySegment given = NativeMemory.segment(arguments.address(), 8L * count);
        for (int i = 0; i < count; i++) {
            MemorySegment value = kept.asSlice(8L * (count + i), bytes.get(i));
            value.copyFrom(NativeMemory.segment(given.getAtIndex(JAVA_LONG, i), bytes.get(i)));
            kept.setAtIndex(JAVA_LONG, i, value.address());
        }
        return kept;
    }

    @Override
    public void beginCapture(long stream) {
        known(streams.containsKey(stream), "stream", stream);
        if (streams.get(stream) != null) {
            throw new AssertionError("the stream is captured already");
        }
        streams.put(stream, new ArrayList<>());
    }

    @Override
    public long endCapture(long stream) {
        List<Runnable> work = streams.put(stream, null);
        if (work == null) {
            throw new AssertionError("the stream is not captured");
        }
        long graph = handle();
        graphs.put(graph, work);
        return graph;
    }

    @Override
    public int nodes(long graph) {
        return graphs.get(graph).size();
    }

    @Override
    public long instantiate(long graph) {
        long executable = handle();
        graphs.put(executable, List.copyOf(graphs.get(graph)));
        return executable;
    }

    @Override
    public void destroyGraph(long graph) {
        known(graphs.remove(graph) != null, "graph", graph);
    }

    @Override
    public void uploadGraph(long executable, long stream) {
        known(graphs.containsKey(executable), "executable graph", executable);
    }

    @Override
    public void launchGraph(long executable, long stream) {
        known(graphs.containsKey(executable), "executable graph", executable);
        known(streams.containsKey(stream), "stream", stream);
        graphs.get(executable).forEach(Runnable::run);
    }

    @Override
    public void destroyExecutable(long executable) {
        known(graphs.remove(executable) != null, "executable graph", executable);
    }

    @Override
    public void pushRange(String name) {}

    @Override
    public void popRange() {}

    /** Compiles what is new in few calls of g++. */
    @Override
    public Map<KernelCode, Long> modules(Collection<KernelCode> codes) {
        emulator.prepare(codes);
        Map<KernelCode, Long> result = new LinkedHashMap<>();
        for (KernelCode code : codes) {
            result.put(
                    code,
                    loaded.computeIfAbsent(code, c -> loadModule(c.text().getBytes(StandardCharsets.UTF_8), c.name())));
        }
        return result;
    }

    @Override
    public List<String> report() {
        return List.of("kernels: compiled by g++ for this processor");
    }

    /** Frees everything; the emulator stays open. */
    @Override
    public void close() {
        List.copyOf(allocations.keySet()).forEach(this::free);
        pinned.values().forEach(Arena::close);
        pinned.clear();
    }
}
