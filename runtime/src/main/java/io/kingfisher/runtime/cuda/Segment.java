package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.cuda.driver.Driver;

/** Steps that a replay runs at once: a graph, or calls that cannot be part of one. */
sealed interface Segment {
    void run();

    /** The driver's and the libraries' functions that {@link #run} calls. */
    int calls();

    int nodes();

    record Captured(Driver driver, long executable, long stream, int nodes) implements Segment {
        @Override
        public void run() {
            driver.launchGraph(executable, stream);
        }

        @Override
        public int calls() {
            return 1;
        }
    }

    /** The steps from {@code from} (included) to {@code to} (excluded), one by one. */
    record Plain(StepRunner runner, int from, int to) implements Segment {
        @Override
        public void run() {
            runner.run(from, to);
        }

        @Override
        public int calls() {
            return runner.calls(from, to);
        }

        @Override
        public int nodes() {
            return 0;
        }
    }
}
