package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.cuda.driver.Driver;
import io.kingfisher.runtime.cuda.math.Call;
import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.Deque;

/** What a program holds besides its block of device memory, freed together in the order opposite to that of making. */
final class Resources implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final Deque<Runnable> kept = new ArrayDeque<>();

    /** Host memory that lives as long as the program. */
    Arena arena() {
        return arena;
    }

    /** A new event that takes no times. */
    long event(Driver driver) {
        long event = driver.createEvent(false);
        add(() -> driver.destroyEvent(event));
        return event;
    }

    void add(Call call) {
        kept.push(call::close);
    }

    void add(Runnable close) {
        kept.push(close);
    }

    @Override
    public void close() {
        while (!kept.isEmpty()) {
            kept.pop().run();
        }
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
