package io.kingfisher.runtime.cuda;

import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.runtime.cuda.driver.Driver;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A driver that does nothing but write down what is called, in words that a person can read: {@code d1+256} is 256 bytes into
 * the first allocation of device memory, {@code h1} the first pinned block of the host.
 */
final class RecordingDriver implements Driver, KernelCompiler {
    private static final long GAP = 1L << 40;

    private final List<String> lines = new ArrayList<>();
    private final TreeMap<Long, String> device = new TreeMap<>();
    private final TreeMap<Long, String> host = new TreeMap<>();
    private final Map<Long, Long> sizes = new LinkedHashMap<>();
    private final Map<Long, String> names = new LinkedHashMap<>();
    private final Map<String, Integer> counts = new LinkedHashMap<>();
    private final Map<KernelCode, Long> modules = new LinkedHashMap<>();
    private final Arena arena = Arena.ofShared();
    private int captured = -1;
    private boolean silent;
    private long calls;

    /** What has been called since the last time it was asked. */
    List<String> take() {
        List<String> result = List.copyOf(lines);
        lines.clear();
        return result;
    }

    /** Only counts from now on, so that nothing is allocated. */
    void silent() {
        silent = true;
    }

    /** The calls so far, library calls included. */
    long calls() {
        return calls;
    }

    private boolean called() {
        calls++;
        captured += captured >= 0 ? 1 : 0;
        return !silent;
    }

    private long handle(String kind) {
        int number = counts.merge(kind, 1, Integer::sum);
        long handle = 10_000L * kind.hashCode() + number;
        names.put(handle, kind + number);
        return handle;
    }

    /** An address in words. */
    String name(long address) {
        for (var all : List.of(device, host)) {
            var entry = all.floorEntry(address);
            if (entry != null && address - entry.getKey() <= sizes.get(entry.getKey())) {
                long offset = address - entry.getKey();
                return entry.getValue() + (offset == 0 ? "" : "+" + offset);
            }
        }
        return "host";
    }

    String stream(long stream) {
        return names.get(stream);
    }

    /** Writes down a call of a library. */
    void library(String what) {
        if (called()) {
            lines.add(what);
        }
    }

    @Override
    public Properties properties() {
        return new Properties("Recorder", 9, 0, 132, 80L << 30, 50L << 20, 227 << 10, 13000);
    }

    @Override
    public void enter() {
        calls++;
    }

    @Override
    public long allocate(long bytes) {
        int number = counts.merge("d", 1, Integer::sum);
        long address = number * GAP;
        device.put(address, "d" + number);
        sizes.put(address, bytes);
        if (called()) {
            lines.add("allocate d" + number + ": " + bytes + " bytes");
        }
        return address;
    }

    @Override
    public void free(long address) {
        if (called()) {
            lines.add("free " + name(address));
        }
        device.remove(address);
    }

    @Override
    public long[] memory() {
        return new long[] {64L << 30, 80L << 30};
    }

    @Override
    public MemorySegment allocatePinned(long bytes) {
        MemorySegment memory = arena.allocate(bytes, 256);
        int number = counts.merge("h", 1, Integer::sum);
        host.put(memory.address(), "h" + number);
        sizes.put(memory.address(), bytes);
        if (called()) {
            lines.add("allocate h" + number + ": " + bytes + " pinned bytes");
        }
        return memory;
    }

    @Override
    public void freePinned(MemorySegment memory) {
        if (called()) {
            lines.add("free " + name(memory.address()));
        }
    }

    @Override
    public long createStream() {
        return handle("stream");
    }

    @Override
    public long createBlockingStream() {
        return createStream();
    }

    @Override
    public void destroyStream(long stream) {}

    @Override
    public void synchronize(long stream) {
        if (called()) {
            lines.add("synchronize " + stream(stream));
        }
    }

    @Override
    public long createEvent(boolean timed) {
        return handle("event");
    }

    @Override
    public void destroyEvent(long event) {}

    @Override
    public void record(long event, long stream) {
        if (called()) {
            lines.add("record " + names.get(event) + " on " + stream(stream));
        }
    }

    @Override
    public void await(long stream, long event) {
        if (called()) {
            lines.add(stream(stream) + " waits for " + names.get(event));
        }
    }

    @Override
    public void synchronizeEvent(long event) {
        if (called()) {
            lines.add("synchronize " + names.get(event));
        }
    }

    @Override
    public float elapsed(long start, long end) {
        return 0;
    }

    @Override
    public void upload(long to, MemorySegment from, long stream) {
        if (called()) {
            lines.add("upload " + from.byteSize() + " bytes from " + name(from.address()) + " to " + name(to) + " on "
                    + stream(stream));
        }
    }

    @Override
    public void download(MemorySegment to, long from, long stream) {
        if (called()) {
            lines.add("download " + to.byteSize() + " bytes from " + name(from) + " to " + name(to.address()) + " on "
                    + stream(stream));
        }
    }

    @Override
    public void copy(long to, long from, long bytes, long stream) {
        if (called()) {
            lines.add("copy " + bytes + " bytes from " + name(from) + " to " + name(to) + " on " + stream(stream));
        }
    }

    @Override
    public void fill(long to, byte value, long bytes, long stream) {
        if (called()) {
            lines.add("fill " + bytes + " bytes at " + name(to) + " with " + value + " on " + stream(stream));
        }
    }

    @Override
    public long loadModule(byte[] image, String name) {
        return handle("module");
    }

    @Override
    public void unloadModule(long module) {}

    @Override
    public long function(long module, String name) {
        long function = handle("function");
        names.put(function, names.get(module) + ":" + name);
        return function;
    }

    @Override
    public void allowShared(long function, int bytes) {
        if (called()) {
            lines.add("allow " + names.get(function) + " " + bytes + " bytes of shared memory");
        }
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
        if (!called()) {
            return;
        }
        List<String> values = new ArrayList<>();
        for (long i = 0; i < arguments.byteSize() / 8; i++) {
            long at = arguments.getAtIndex(ValueLayout.JAVA_LONG, i);
            if (at != 0) {
                long value = NativeMemory.segment(at, 8).get(ValueLayout.JAVA_LONG, 0);
                values.add(value >= GAP ? name(value) : Long.toString(value));
            }
        }
        lines.add(
                "launch " + names.get(function) + " <" + gridX + " x " + gridY + " x " + gridZ + " blocks of " + blockX
                        + (sharedBytes == 0 ? "" : ", " + sharedBytes + " bytes shared") + "> " + values + " on "
                        + stream(stream));
    }

    @Override
    public void beginCapture(long stream) {
        if (called()) {
            lines.add("begin capture of " + stream(stream));
        }
        captured = 0;
    }

    @Override
    public long endCapture(long stream) {
        long graph = handle("graph");
        names.put(-graph, Integer.toString(captured));
        if (called()) {
            lines.add("end capture of " + stream(stream) + ": " + names.get(graph));
        }
        captured = -1;
        return graph;
    }

    @Override
    public int nodes(long graph) {
        return Integer.parseInt(names.get(-graph));
    }

    @Override
    public long instantiate(long graph) {
        if (called()) {
            lines.add("instantiate " + names.get(graph) + " of " + names.get(-graph) + " nodes");
        }
        return graph;
    }

    @Override
    public void destroyGraph(long graph) {}

    @Override
    public void uploadGraph(long executable, long stream) {
        if (called()) {
            lines.add("upload " + names.get(executable));
        }
    }

    @Override
    public void launchGraph(long executable, long stream) {
        if (called()) {
            lines.add("launch " + names.get(executable) + " on " + stream(stream));
        }
    }

    @Override
    public void destroyExecutable(long executable) {}

    @Override
    public void pushRange(String name) {
        calls++;
    }

    @Override
    public void popRange() {
        calls++;
    }

    @Override
    public Map<KernelCode, Long> modules(Collection<KernelCode> codes) {
        for (KernelCode code : codes) {
            modules.computeIfAbsent(code, c -> {
                long module = handle("module");
                names.put(module, c.name());
                return module;
            });
        }
        Map<KernelCode, Long> result = new LinkedHashMap<>(modules);
        result.keySet().retainAll(List.copyOf(codes));
        return result;
    }

    @Override
    public List<String> report() {
        return List.of("nothing is compiled");
    }

    @Override
    public void close() {
        arena.close();
    }
}
