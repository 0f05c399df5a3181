package io.kingfisher.train.data;

import java.util.concurrent.atomic.AtomicInteger;

/** Closes a source of images after the last of those who read from it. Whoever makes one holds it first. */
final class SharedSource implements AutoCloseable {
    private final ImageSource source;
    private final AtomicInteger holders = new AtomicInteger(1);

    SharedSource(ImageSource source) {
        this.source = source;
    }

    SharedSource retain() {
        holders.incrementAndGet();
        return this;
    }

    @Override
    public void close() {
        if (holders.decrementAndGet() == 0) {
            source.close();
        }
    }
}
