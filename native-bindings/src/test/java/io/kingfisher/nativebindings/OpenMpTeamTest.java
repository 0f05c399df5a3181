package io.kingfisher.nativebindings;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(OS.LINUX)
class OpenMpTeamTest {
    @Test
    void theSameThreadsRunEveryRegion() {
        Set<Thread> seen = ConcurrentHashMap.newKeySet();
        CyclicBarrier together = new CyclicBarrier(3);
        Runnable body = () -> {
            seen.add(Thread.currentThread());
            try {
                together.await();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        };
        try (OpenMpTeam team = OpenMpTeam.of(3, body).orElseThrow()) {
            for (int i = 0; i < 100; i++) {
                team.run();
            }
        }
        assertEquals(3, seen.size());
    }

    @Test
    void aRegionInsideAnotherHasOneThread() {
        AtomicInteger inner = new AtomicInteger(), outer = new AtomicInteger();
        try (OpenMpTeam small = OpenMpTeam.of(2, inner::incrementAndGet).orElseThrow();
                OpenMpTeam large = OpenMpTeam.of(2, () -> {
                            outer.incrementAndGet();
                            small.run();
                        })
                        .orElseThrow()) {
            large.run();
        }
        assertEquals(2, outer.get());
        assertEquals(2, inner.get());
    }
}
