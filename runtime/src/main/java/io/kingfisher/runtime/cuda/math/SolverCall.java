package io.kingfisher.runtime.cuda.math;

import io.kingfisher.runtime.cuda.math.Factorizations.Problem;
import io.kingfisher.runtime.cuda.math.Solver.Sizes;
import io.kingfisher.runtime.cuda.math.Solver.Work;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A call of cuSOLVER: its workspace is laid out here, first parts of our own, then what the routine wants. */
abstract class SolverCall implements Call {
    final Problem p;
    private final Arena arena = Arena.ofShared();
    private final Sizes sizes;
    private final MemorySegment host;
    private long parts;
    private long workAt = -1;
    private Work work;

    SolverCall(Problem p, Sizes sizes) {
        this.p = p;
        this.sizes = sizes;
        this.host = sizes.host() == 0 ? MemorySegment.NULL : arena.allocate(sizes.host(), 64);
    }

    /** The offset of a part of the workspace. */
    final long part(long bytes) {
        long at = parts;
        parts += (bytes + 255) & -256;
        return at;
    }

    /** What the routine gets, once all parts are known. */
    final Work work(long workspace) {
        if (workAt != workspace) {
            work = new Work(workspace + parts, sizes.device(), host);
            workAt = workspace;
        }
        return work;
    }

    @Override
    public final long workspaceBytes() {
        return parts + ((sizes.device() + 255) & -256);
    }

    /** cuSOLVER may allocate or wait for the device, which no capture allows. */
    @Override
    public boolean capturable() {
        return false;
    }

    @Override
    public final void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
