package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.cuda.driver.Driver;
import io.kingfisher.runtime.cuda.math.Call;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** A piece of a replay, bound to addresses: enqueues work on a stream. Running it allocates nothing. */
interface CudaStep {
    void run(Driver driver, long stream);

    /** Whether it may be captured into a graph. */
    default boolean capturable() {
        return true;
    }

    /** A launch of a kernel with its arguments in host memory. */
    record Launch(long function, int gridX, int gridY, int gridZ, int blockX, int sharedBytes, MemorySegment arguments)
            implements CudaStep {
        @Override
        public void run(Driver driver, long stream) {
            driver.launch(function, gridX, gridY, gridZ, blockX, 1, 1, sharedBytes, stream, arguments);
        }
    }

    /** A call of a library. */
    @SuppressWarnings("ArrayRecordComponent")
    record Library(Call call, long[] addresses, long workspace) implements CudaStep {
        @Override
        public void run(Driver driver, long stream) {
            call.run(stream, addresses, workspace);
        }

        @Override
        public boolean capturable() {
            return call.capturable();
        }
    }

    record Copy(long to, long from, long bytes) implements CudaStep {
        @Override
        public void run(Driver driver, long stream) {
            driver.copy(to, from, bytes, stream);
        }
    }

    record Clear(long to, long bytes) implements CudaStep {
        @Override
        public void run(Driver driver, long stream) {
            driver.fill(to, (byte) 0, bytes, stream);
        }
    }

    /** Steps one after another. */
    record Several(List<CudaStep> steps) implements CudaStep {
        @Override
        public void run(Driver driver, long stream) {
            for (int i = 0; i < steps.size(); i++) {
                steps.get(i).run(driver, stream);
            }
        }

        @Override
        public boolean capturable() {
            return steps.stream().allMatch(CudaStep::capturable);
        }
    }
}
