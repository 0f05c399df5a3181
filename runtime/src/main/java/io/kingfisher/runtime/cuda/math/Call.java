package io.kingfisher.runtime.cuda.math;

/**
 * A prepared library call, everything chosen but the addresses: descriptors, algorithm, workspace size. Running it allocates
 * nothing. One stream at a time.
 */
public interface Call extends AutoCloseable {
    /** The scratch memory that it needs, in bytes, aligned to 256. */
    long workspaceBytes();

    /**
     * Enqueues the call.
     *
     * @param addresses device addresses of the operands, then of the results, in the order that the factory method gives;
     *     not kept
     */
    void run(long stream, long[] addresses, long workspace);

    /** Whether it may be captured into a graph. Others run between graphs. */
    boolean capturable();

    /** The library, the algorithm and whatever else tells, for people. */
    String what();

    @Override
    void close();
}
