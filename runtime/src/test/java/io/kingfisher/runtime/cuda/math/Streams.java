package io.kingfisher.runtime.cuda.math;

/** When what is enqueued in a stream happens. */
@FunctionalInterface
interface Streams {
    void enqueue(long stream, Runnable work);

    /** At once. */
    static Streams immediate() {
        return (stream, work) -> work.run();
    }
}
