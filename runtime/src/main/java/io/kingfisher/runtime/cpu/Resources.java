package io.kingfisher.runtime.cpu;

import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.Deque;

/** What a program holds outside of the heap, freed together in the order opposite to that of making. */
final class Resources implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final Deque<AutoCloseable> kept = new ArrayDeque<>();

    /** Small segments that live as long as the program. */
    Arena arena() {
        return arena;
    }

    <T extends AutoCloseable> T keep(T thing) {
        kept.push(thing);
        return thing;
    }

    @Override
    public void close() {
        while (!kept.isEmpty()) {
            try {
                kept.pop().close();
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
