package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.cuda.kernels.EmulatedDriver;
import io.kingfisher.runtime.cuda.kernels.KernelEmulator;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * An emulated driver that does nothing before somebody waits for it, as late as a GPU could: what the host changes or frees
 * too early, or reads without waiting, gives wrong numbers. The context must be current on every thread that calls.
 */
class LateDriver extends EmulatedDriver {
    private record Work(long stream, long event, Runnable body) {}

    private final Deque<Work> waiting = new ArrayDeque<>();
    private final Set<Long> capturing = new HashSet<>();
    private final List<MemorySegment> pinned = new ArrayList<>();
    private final Set<Thread> entered = new HashSet<>();
    private long launches;

    LateDriver(KernelEmulator emulator) {
        super(emulator);
    }

    /** The launches of kernels and graphs so far. */
    long launches() {
        return launches;
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

    private void later(long stream, long event, Runnable body) {
        current();
        if (capturing.contains(stream)) {
            body.run();
        } else {
            waiting.add(new Work(stream, event, body));
        }
    }

    /** Does what waits, in order, up to the last record of an event, or everything for the event 0. */
    private void drain(long event) {
        current();
        if (event != 0 && waiting.stream().noneMatch(work -> work.event == event)) {
            return;
        }
        long left = event == 0
                ? -1
                : waiting.stream().filter(work -> work.event == event).count();
        while (!waiting.isEmpty() && left != 0) {
            Work work = waiting.poll();
            work.body.run();
            left -= work.event == event && event != 0 ? 1 : 0;
        }
    }

    private boolean isPinned(MemorySegment memory) {
        return pinned.stream()
                .anyMatch(block -> memory.address() >= block.address()
                        && memory.address() + memory.byteSize() <= block.address() + block.byteSize());
    }

    private void idle(String what) {
        current();
        if (!waiting.isEmpty()) {
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
        drain(0);
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
        drain(0);
        super.synchronize(stream);
    }

    @Override
    public void record(long event, long stream) {
        later(stream, event, () -> super.record(event, stream));
    }

    @Override
    public void synchronizeEvent(long event) {
        drain(event);
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
        later(stream, 0, () -> super.upload(to, kept, stream));
    }

    @Override
    public void download(MemorySegment to, long from, long stream) {
        if (!isPinned(to)) {
            drain(0);
        }
        later(stream, 0, () -> super.download(to, from, stream));
        if (!isPinned(to)) {
            drain(0);
        }
    }

    @Override
    public void copy(long to, long from, long bytes, long stream) {
        later(stream, 0, () -> super.copy(to, from, bytes, stream));
    }

    @Override
    public void fill(long to, byte value, long bytes, long stream) {
        later(stream, 0, () -> super.fill(to, value, bytes, stream));
    }

    @Override
    public void call(long stream, Runnable work) {
        later(stream, 0, () -> super.call(stream, work));
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
                0,
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
        later(stream, 0, () -> super.launchGraph(executable, stream));
    }

    @Override
    public void close() {
        idle("the context is closed");
        super.close();
    }
}
