package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.cuda.kernels.EmulatedDriver;
import io.kingfisher.runtime.cuda.kernels.KernelEmulator;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An emulated driver that does the work of a stream only when somebody waits for it, as late as a GPU could: what the host
 * changes or frees too early, or reads without waiting, gives wrong numbers. Streams know of each other by events alone. What
 * a stream must not do too early shows where some are {@linkplain Pace early}. The context must be current on every thread
 * that calls.
 */
class LateDriver extends EmulatedDriver {
    /** When work is done for which nobody waits. */
    enum Pace {
        /** Never. */
        LATE,
        /** At once, as far as events let it, on all streams but the first, on which a device computes. */
        UPLOADS_EARLY,
        /** At once, as far as events let it. */
        EARLY
    }

    private static final class Work {
        final long stream;
        /** What must be done before, on another stream; null where there is nothing. */
        final Work after;

        final Runnable body;
        boolean done;

        Work(long stream, Work after, Runnable body) {
            this.stream = stream;
            this.after = after;
            this.body = body;
        }
    }

    private final Pace pace;
    private final Map<Long, Deque<Work>> queues = new LinkedHashMap<>();
    /** The last record of each event. */
    private final Map<Long, Work> records = new HashMap<>();

    private final Set<Long> capturing = new HashSet<>();
    private final List<MemorySegment> pinned = new ArrayList<>();
    private final Set<Thread> entered = new HashSet<>();
    /** For each event of the stream on which a device computes, the graphs launched before its last record. */
    private final Map<Long, Long> graphsBefore = new HashMap<>();

    private final List<String> order = new ArrayList<>();
    private long launches, graphs;

    LateDriver(KernelEmulator emulator) {
        this(emulator, Pace.LATE);
    }

    LateDriver(KernelEmulator emulator, Pace pace) {
        super(emulator);
        this.pace = pace;
    }

    /** The launches of kernels and graphs so far. */
    long launches() {
        return launches;
    }

    /**
     * What the host has done, in order: {@code launch 7} the 7th graph, {@code wait 7} for an event after it and before the
     * 8th, {@code idle} for all of a stream.
     */
    List<String> order() {
        return List.copyOf(order);
    }

    @Override
    public void enter() {
        entered.add(Thread.currentThread());
    }

    private void current() {
        if (!entered.contains(Thread.currentThread())) {
            throw new AssertionError("the context is not current on " + Thread.currentThread());
        }
    }

    @Override
    public long createStream() {
        long stream = super.createStream();
        queues.put(stream, new ArrayDeque<>());
        return stream;
    }

    private void later(long stream, Runnable body) {
        current();
        if (capturing.contains(stream)) {
            body.run();
        } else {
            enqueue(new Work(stream, null, body));
        }
    }

    private void enqueue(Work work) {
        queues.get(work.stream).add(work);
        hurry();
    }

    /** Does what the pace lets be done at once. */
    private void hurry() {
        if (pace == Pace.LATE) {
            return;
        }
        boolean more = true;
        while (more) {
            more = false;
            boolean first = true;
            for (Deque<Work> queue : queues.values()) {
                while ((pace == Pace.EARLY || !first)
                        && !queue.isEmpty()
                        && (queue.peek().after == null || queue.peek().after.done)) {
                    next(queue);
                    more = true;
                }
                first = false;
            }
        }
    }

    private static void next(Deque<Work> queue) {
        Work work = queue.poll();
        work.body.run();
        work.done = true;
    }

    /** Does all work of a stream up to this piece, and of others what that waits for. */
    private void finish(Work last) {
        Deque<Work> queue = queues.get(last.stream);
        while (!last.done) {
            Work before = queue.peek().after;
            if (before != null && !before.done) {
                finish(before);
            } else {
                next(queue);
            }
        }
        hurry();
    }

    private void finish(long stream) {
        current();
        if (!queues.get(stream).isEmpty()) {
            finish(queues.get(stream).peekLast());
        }
    }

    private void finishAll() {
        List.copyOf(queues.keySet()).forEach(this::finish);
    }

    private boolean isPinned(MemorySegment memory) {
        return pinned.stream()
                .anyMatch(block -> memory.address() >= block.address()
                        && memory.address() + memory.byteSize() <= block.address() + block.byteSize());
    }

    private void idle(String what) {
        current();
        if (queues.values().stream().anyMatch(queue -> !queue.isEmpty())) {
            throw new AssertionError(what + " while work waits that may use it");
        }
    }

    @Override
    public long allocate(long bytes) {
        current();
        return super.allocate(bytes);
    }

    @Override
    public void free(long address) {
        finishAll();
        super.free(address);
    }

    @Override
    public MemorySegment allocatePinned(long bytes) {
        current();
        MemorySegment memory = super.allocatePinned(bytes);
        pinned.add(memory);
        return memory;
    }

    @Override
    public void freePinned(MemorySegment memory) {
        idle("pinned memory is freed");
        pinned.removeIf(block -> block.address() == memory.address());
        super.freePinned(memory);
    }

    @Override
    public void destroyExecutable(long executable) {
        idle("a graph is destroyed");
        super.destroyExecutable(executable);
    }

    @Override
    public void synchronize(long stream) {
        order.add("idle");
        finish(stream);
        super.synchronize(stream);
    }

    @Override
    public void record(long event, long stream) {
        current();
        Work work = new Work(stream, null, () -> super.record(event, stream));
        records.put(event, work);
        if (stream == queues.keySet().iterator().next()) {
            graphsBefore.put(event, graphs);
        }
        enqueue(work);
    }

    @Override
    public void await(long stream, long event) {
        current();
        super.await(stream, event);
        Work record = records.get(event);
        if (record != null && !record.done) {
            enqueue(new Work(stream, record, () -> {}));
        }
    }

    @Override
    public void synchronizeEvent(long event) {
        current();
        if (graphsBefore.containsKey(event)) {
            order.add("wait " + graphsBefore.get(event));
        }
        if (records.containsKey(event)) {
            finish(records.get(event));
        }
        super.synchronizeEvent(event);
    }

    @Override
    public void upload(long to, MemorySegment from, long stream) {
        MemorySegment kept = isPinned(from)
                ? from
                : Arena.ofAuto()
                        .allocate(Math.max(1, from.byteSize()), 8)
                        .asSlice(0, from.byteSize())
                        .copyFrom(from);
        later(stream, () -> super.upload(to, kept, stream));
    }

    @Override
    public void download(MemorySegment to, long from, long stream) {
        later(stream, () -> super.download(to, from, stream));
        if (!isPinned(to)) {
            finish(stream);
        }
    }

    @Override
    public void copy(long to, long from, long bytes, long stream) {
        later(stream, () -> super.copy(to, from, bytes, stream));
    }

    @Override
    public void fill(long to, byte value, long bytes, long stream) {
        later(stream, () -> super.fill(to, value, bytes, stream));
    }

    @Override
    public void call(long stream, Runnable work) {
        later(stream, () -> super.call(stream, work));
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
        launches++;
        MemorySegment taken = taken(function, arguments);
        later(
                stream,
                () -> super.launch(function, gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes, stream, taken));
    }

    @Override
    public void beginCapture(long stream) {
        current();
        super.beginCapture(stream);
        capturing.add(stream);
    }

    @Override
    public long endCapture(long stream) {
        capturing.remove(stream);
        return super.endCapture(stream);
    }

    @Override
    public void launchGraph(long executable, long stream) {
        launches++;
        order.add("launch " + ++graphs);
        later(stream, () -> super.launchGraph(executable, stream));
    }

    @Override
    public void close() {
        idle("the context is closed");
        super.close();
    }
}
