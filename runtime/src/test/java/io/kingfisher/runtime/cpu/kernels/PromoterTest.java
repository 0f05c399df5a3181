package io.kingfisher.runtime.cpu.kernels;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.cpu.kernels.Code.Inst;
import io.kingfisher.runtime.cpu.kernels.Code.Kind;
import io.kingfisher.runtime.cpu.kernels.Code.Op;
import io.kingfisher.runtime.cpu.kernels.LoopSpec.Access;
import io.kingfisher.runtime.cpu.kernels.LoopSpec.Operand;
import io.kingfisher.runtime.cpu.kernels.LoopSpec.Result;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PromoterTest {
    private static final int LOOPS = 3000;

    /** A function of single elements, so that there is nothing to compile. */
    private static final LoopSpec CALL = new LoopSpec(
            List.of(new Inst(Op.LOAD, Kind.F, -1, -1, -1, 0), new Inst(Op.CALL, Kind.F, 0, -1, -1, 0)),
            Kind.F,
            List.of(new Operand(DType.F32, Access.ELEMENTS)),
            List.of(new Result(1, DType.F32, Access.ELEMENTS, null)));

    /** Two threads that find a loop hot at the same moment ask once: else the queue would be a circle without an end. */
    @Test
    void aLoopIsInTheQueueOnce() throws InterruptedException {
        try (Promoter promoter = new Promoter(Promoter.LIMIT_NANOS)) {
            AtomicInteger arrived = new AtomicInteger();
            List<AdaptiveLoop> loops = new ArrayList<>();
            for (int i = 0; i < LOOPS; i++) {
                int both = 2 * (i + 1);
                Loop hot = (at, steps, rows, n) -> {
                    arrived.incrementAndGet();
                    while (arrived.get() < both) {
                        Thread.onSpinWait();
                    }
                };
                loops.add(new AdaptiveLoop(CALL, CompletableFuture.completedFuture(hot), promoter).ready());
            }
            Runnable all = () -> loops.forEach(loop -> loop.run(new long[2], new long[4], 1, 1 << 28));
            Thread other = Thread.ofPlatform().start(all);
            all.run();
            other.join();
            long end = System.nanoTime() + 10_000_000_000L;
            while (!promoter.idle() && System.nanoTime() < end) {
                Thread.sleep(5);
            }
            assertTrue(promoter.idle());
        }
    }
}
