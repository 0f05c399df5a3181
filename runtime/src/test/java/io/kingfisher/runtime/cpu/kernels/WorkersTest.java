package io.kingfisher.runtime.cpu.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkersTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void runsEveryPartOnce(int threads) {
        try (Workers workers = new Workers(threads)) {
            for (int parts : new int[] {0, 1, 2, 3, 17, 1000, 70_000}) {
                AtomicIntegerArray runs = new AtomicIntegerArray(parts);
                for (int round = 0; round < 20; round++) {
                    workers.run(runs::incrementAndGet, parts);
                }
                for (int part = 0; part < parts; part++) {
                    assertEquals(20, runs.get(part));
                }
            }
        }
    }

    @Test
    void passesOnTheFirstFailureAndWorksOn() {
        try (Workers workers = new Workers(3)) {
            for (int round = 0; round < 50; round++) {
                AtomicIntegerArray runs = new AtomicIntegerArray(8);
                IllegalStateException e = assertThrows(
                        IllegalStateException.class,
                        () -> workers.run(
                                part -> {
                                    runs.incrementAndGet(part);
                                    if (part % 3 == 1) {
                                        throw new IllegalStateException("part " + part);
                                    }
                                },
                                8));
                assertEquals(4, e.getMessage().indexOf(' '));
                for (int part = 0; part < 8; part++) {
                    assertEquals(1, runs.get(part));
                }
            }
        }
    }

    @Test
    void tasksNestAndOverlap() throws InterruptedException {
        try (Workers workers = new Workers(2)) {
            AtomicIntegerArray runs = new AtomicIntegerArray(100);
            Runnable twice = () -> {
                for (int round = 0; round < 100; round++) {
                    workers.run(outer -> workers.run(inner -> runs.incrementAndGet(10 * outer + inner), 10), 10);
                }
            };
            Thread other = new Thread(twice);
            other.start();
            twice.run();
            other.join();
            for (int i = 0; i < 100; i++) {
                assertEquals(200, runs.get(i));
            }
        }
    }

    @Test
    void closingEndsTheThreads() {
        new Workers(3).close();
        assertFalse(Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.isAlive() && thread.getName().equals("kingfisher-worker-2")));
    }

    @Test
    void allocatesNothing() {
        try (Workers workers = new Workers(2)) {
            long[] sum = new long[64];
            Workers.Task task = part -> {
                for (int i = 0; i < 2000; i++) {
                    sum[part] += i * sum[part] + part;
                }
            };
            Runnable many = () -> {
                for (int i = 0; i < 2000; i++) {
                    workers.run(task, 4);
                }
            };
            many.run();
            assertEquals(0, Allocations.of(many));
        }
    }
}
