package io.kingfisher.runtime.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.kernels.KernelEmulator;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the CUDA device says when the driver refuses, and how it runs step by step. */
class CudaFailureTest {
    /** Refuses what is too large; after the launch that is to fail, the next wait says so. */
    private static final class Fragile extends LateDriver {
        private final List<String> ranges = new ArrayList<>();
        private long limit = Long.MAX_VALUE;
        private long failing = -1;
        private boolean failed;

        Fragile(KernelEmulator emulator) {
            super(emulator);
        }

        @Override
        public long allocate(long bytes) {
            if (bytes > limit) {
                throw new NativeException(
                        "cuMemAlloc_v2", 2, "CUDA_ERROR_OUT_OF_MEMORY", "asked for " + bytes + " bytes");
            }
            return super.allocate(bytes);
        }

        @Override
        public long[] memory() {
            return new long[] {Math.min(limit, super.memory()[0]), super.memory()[1]};
        }

        @Override
        public void launch(
                long function,
                int gridX,
                int gridY,
                int gridZ,
                int blockX,
                int blockY,
                int blockZ,
                int sharedBytes,
                long stream,
                MemorySegment arguments) {
            super.launch(function, gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes, stream, arguments);
            failed |= launches() == failing;
        }

        @Override
        public void synchronize(long stream) {
            super.synchronize(stream);
            if (failed) {
                failed = false;
                throw new NativeException("cuStreamSynchronize", 700, "CUDA_ERROR_ILLEGAL_ADDRESS", "a kernel failed");
            }
        }

        @Override
        public void pushRange(String name) {
            ranges.add(name);
        }
    }

    private static Graph layers(long n) {
        Graph g = new Graph();
        Value x = g.input("x", DType.F32, n, n);
        Value y, z;
        try (var _ = g.scope("first")) {
            y = x.softmax().matmul(x);
        }
        try (var _ = g.scope("second.wide")) {
            z = g.concat(0, List.of(y, y.exp(), x)).t();
        }
        try (var _ = g.scope("third")) {
            g.output("sum", x.matmul(z).sum());
        }
        return g;
    }

    private static Graph square(long n) {
        Graph g = new Graph();
        Value x = g.input("x", DType.F32, n);
        try (var _ = g.scope("first")) {
            x = x.sum().add(x);
        }
        try (var _ = g.scope("second.norm")) {
            x = x.square().sum().add(x);
        }
        g.output("y", x);
        return g;
    }

    @Test
    void anErrorOfTheWarmUpNamesTheOpAndItsLayer() {
        try (EmulatedGpu gpu = EmulatedGpu.open(new DeviceOptions(1), Fragile::new)) {
            Fragile driver = (Fragile) gpu.driver();
            driver.failing = driver.launches() + 2;
            var e = assertThrows(KingfisherException.class, () -> gpu.device().compile(square(100)));
            assertTrue(e.getMessage().contains("Reduce[kind=SUM"), e.getMessage());
            assertTrue(e.getMessage().contains("in second.norm failed"), e.getMessage());
            assertTrue(e.getMessage().contains("CUDA_ERROR_ILLEGAL_ADDRESS"), e.getMessage());
            driver.failing = -1;
            assertEquals(0, gpu.device().live());
            gpu.device().compile(square(100)).close();
        }
    }

    @Test
    void debuggingNamesTheOpInEveryReplay() {
        System.setProperty("kingfisher.debug", "sync");
        try (EmulatedGpu gpu = EmulatedGpu.open(new DeviceOptions(1), Fragile::new)) {
            Fragile driver = (Fragile) gpu.driver();
            Program program = gpu.device().compile(square(100));
            assertEquals(0, program.graphNodes());
            program.replay();
            driver.failing = driver.launches() + 1;
            var e = assertThrows(KingfisherException.class, program::replay);
            assertTrue(e.getMessage().contains("in first failed"), e.getMessage());
        } finally {
            System.clearProperty("kingfisher.debug");
        }
    }

    @Test
    void anErrorInAGraphSaysHowToFindTheOp() {
        try (EmulatedGpu gpu = EmulatedGpu.open(new DeviceOptions(1), Fragile::new)) {
            Fragile driver = (Fragile) gpu.driver();
            Program program = gpu.device().compile(square(100));
            program.replay();
            driver.failed = true;
            var e = assertThrows(KingfisherException.class, () -> gpu.device().synchronize());
            assertTrue(e.getMessage().contains("KINGFISHER_DEBUG=sync"), e.getMessage());
        }
    }

    @Test
    void outOfMemoryNamesTheLargestBuffers() {
        try (EmulatedGpu gpu = EmulatedGpu.open(new DeviceOptions(1), Fragile::new)) {
            ((Fragile) gpu.driver()).limit = 100_000;
            var e = assertThrows(KingfisherException.class, () -> gpu.device().compile(layers(128)));
            assertTrue(e.getMessage().contains("in second.wide"), e.getMessage());
            assertTrue(e.getMessage().contains("192.0 KiB of"), e.getMessage());
            assertTrue(e.getMessage().contains("make the batch or the model smaller"), e.getMessage());
            var tensor =
                    assertThrows(KingfisherException.class, () -> gpu.device().allocate(DType.F32, Shape.of(200, 200)));
            assertTrue(tensor.getMessage().contains("a tensor F32[200x200] of 160000 bytes"), tensor.getMessage());
            assertEquals(0, gpu.device().live());
        }
    }

    @Test
    void profilersSeeARangePerOp() {
        DeviceOptions options = new DeviceOptions(1).withExecution(DeviceOptions.Execution.PLAIN);
        try (EmulatedGpu gpu = EmulatedGpu.open(options, Fragile::new)) {
            Program program = gpu.device().compile(square(100));
            Fragile driver = (Fragile) gpu.driver();
            driver.ranges.clear();
            program.replay();
            assertEquals("replay", driver.ranges.get(0));
            assertTrue(driver.ranges.get(1).endsWith("in first"), driver.ranges::toString);
            assertEquals(0, program.graphNodes());
        }
    }
}
