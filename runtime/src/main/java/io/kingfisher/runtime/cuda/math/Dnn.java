package io.kingfisher.runtime.cuda.math;

import java.util.List;
import java.util.Optional;

/**
 * What is used of cuDNN: graphs of operations become plans. Tests have an implementation that follows NVIDIA's documentation
 * on the processor.
 */
interface Dnn extends AutoCloseable {
    /**
     * Which algorithms are allowed.
     *
     * @param tensorCores whether F32 may be rounded to TF32; halves always use tensor cores
     * @param deterministic whether the same bits must come every time
     */
    record Rules(boolean tensorCores, boolean deterministic) {}

    /** An algorithm for a graph. */
    interface Plan extends AutoCloseable {
        long workspaceBytes();

        /** @param addresses of the graph's operands, in its order */
        void run(long stream, long[] addresses, long workspace);

        String what();

        @Override
        void close();
    }

    /** The fastest plan that follows the rules, if there is any. */
    Optional<Plan> plan(DnnGraph graph, Rules rules);

    /** Makes the stream's handle where it has none yet. */
    void prepare(long stream);

    List<String> report();

    @Override
    void close();
}
