package io.kingfisher.runtime.cpu.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class WorkersTest {
    /** Our own daemons, and the threads of oneDNN's OpenMP runtime. */
    static Stream<IntFunction<Workers>> kinds() {
        return Stream.of(Workers::new, Workers::shared);
    }

    static Stream<Arguments> sizes() {
        return kinds().flatMap(kind -> IntStream.of(1, 2, 3, 8).mapToObj(threads -> Arguments.of(kind, threads)));
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void runsEveryPartOnce(IntFunction<Workers> kind, int threads) {
        try (Workers workers = kind.apply(threads)) {
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

    @ParameterizedTest
    @MethodSource("kinds")
    void passesOnTheFirstFailureAndWorksOn(IntFunction<Workers> kind) {
        try (Workers workers = kind.apply(3)) {
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

    @ParameterizedTest
    @MethodSource("kinds")
    void tasksNestAndOverlap(IntFunction<Workers> kind) throws InterruptedException {
        try (Workers workers = kind.apply(2)) {
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
    @EnabledOnOs(OS.LINUX)
    void theOpenMpRuntimesThreadsTakeParts() {
        Set<Thread> seen = ConcurrentHashMap.newKeySet();
        CountDownLatch both = new CountDownLatch(2);
        try (Workers workers = Workers.shared(2)) {
            workers.run(
                    part -> {
                        seen.add(Thread.currentThread());
                        both.countDown();
                        try {
                            assertTrue(both.await(1, TimeUnit.MINUTES));
                        } catch (InterruptedException e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    2);
        }
        assertEquals(2, seen.size());
        assertTrue(seen.remove(Thread.currentThread()));
        assertTrue(seen.iterator().next().isDaemon());
        assertFalse(seen.iterator().next().getName().startsWith("kingfisher-worker"));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void allocatesNothing(IntFunction<Workers> kind) {
        try (Workers workers = kind.apply(2)) {
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
