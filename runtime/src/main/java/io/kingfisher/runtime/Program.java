package io.kingfisher.runtime;

import java.util.List;

/**
 * A compiled graph: every buffer has its place and every native call is prepared. {@link #replay()} is the hot path and
 * allocates nothing. One thread at a time.
 */
public interface Program extends AutoCloseable {
    /** The memory of an input, at a fixed address, to be filled before a replay. */
    Tensor input(String name);

    /** The memory of an output, valid from the end of a replay to the start of the next. */
    Tensor output(String name);

    /**
     * How many replays before the last one still have their small outputs; 0 where a replay is done when it returns. Where a
     * device runs behind the host, who reads what earlier replays have left does not make it wait for the next.
     */
    default int history() {
        return 0;
    }

    /**
     * The memory of an output as the replay that is {@code back} replays before the last one has left it; with 0 that of
     * {@link #output(String)}.
     *
     * @throws KingfisherException if {@code back} is not from 0 to {@link #history()}, or the output is too large to be kept
     */
    default Tensor output(String name, int back) {
        if (back != 0) {
            throw new KingfisherException("The program keeps the outputs of its last replay only, not those of " + back
                    + " replays before; read them before the next replay.");
        }
        return output(name);
    }

    /**
     * Runs the program once.
     *
     * @throws KingfisherException if the program, its device or a tensor that it uses is closed, or a native call fails
     */
    void replay();

    /** The size of the one block of memory that holds all intermediate results, in bytes. */
    long arenaBytes();

    /** The calls into native libraries that one replay makes. */
    int nativeCalls();

    /** The nodes of the CUDA graph that a replay launches at once; 0 where a replay makes its calls one by one. */
    default int graphNodes() {
        return 0;
    }

    /**
     * The steps of a replay in their order, to be measured one by one. Running them changes what a replay changes.
     *
     * @throws KingfisherException on a device whose replays are not made of such steps
     */
    default List<ProgramStep> steps() {
        throw new KingfisherException(
                "The steps of this device's programs cannot be run one by one; open the device cpu"
                        + " for that, or use a profiler (docs/profiling.md).");
    }

    /** What a replay does, a step a line. */
    String describe();

    /** Frees what the program holds; the tensors that it read and changed stay. */
    @Override
    void close();
}
