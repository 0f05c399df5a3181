package io.kingfisher.runtime.cuda.kernels;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.cuda.kernels.KernelEmulator.Order;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** The emulation itself: that it computes, and that it finds what kernels do wrong. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EmulationTest {
    private static final String MISTAKES = """
            extern "C" __global__ void beyond(float* x, int n) {
                x[threadIdx.x + n - 32] = 1;
            }
            extern "C" __global__ void before(const float* x, float* y) {
                y[0] = x[(int) threadIdx.x - 1];
            }
            extern "C" __global__ void misaligned(float* x) {
                *(double*) (x + 1) = 1;
            }
            """;
    private static final String RACES = """
            extern "C" __global__ void no_barrier(float* x) {
                __shared__ float all[64];
                all[threadIdx.x] = threadIdx.x;
                x[threadIdx.x] = all[63 - threadIdx.x];
            }
            extern "C" __global__ void barrier(float* x) {
                __shared__ float all[64];
                all[threadIdx.x] = threadIdx.x;
                __syncthreads();
                x[threadIdx.x] = all[63 - threadIdx.x];
            }
            extern "C" __global__ void missing_second(float* x) {
                __shared__ float all[64];
                for (int turn = 0; turn < 2; turn++) {
                    all[threadIdx.x] = threadIdx.x + turn;
                    __syncthreads();
                    x[threadIdx.x] = all[63 - threadIdx.x];
                }
            }
            extern "C" __global__ void unwritten(float* x) {
                __shared__ float all[64];
                __syncthreads();
                x[threadIdx.x] = all[threadIdx.x];
            }
            extern "C" __global__ void beyond_shared(float* x) {
                __shared__ float all[64];
                all[threadIdx.x + 1] = 0;
                __syncthreads();
            }
            extern "C" __global__ void divergent(float* x) {
                if (threadIdx.x < 40) {
                    __syncthreads();
                }
            }
            extern "C" __global__ void early(float* x) {
                if (threadIdx.x == 5) {
                    return;
                }
                x[threadIdx.x] = __shfl_xor_sync(0xffffffffu, x[threadIdx.x], 1);
            }
            extern "C" __global__ void sum(float* x) {
                float y = threadIdx.x;
                for (int lanes = 16; lanes > 0; lanes /= 2) {
                    y += __shfl_xor_sync(0xffffffffu, y, lanes);
                }
                x[threadIdx.x] = y;
            }
            extern "C" __global__ void dynamic(float* x) {
                extern __shared__ float all[];
                all[threadIdx.x] = x[threadIdx.x];
                __syncwarp();
                x[threadIdx.x] = all[threadIdx.x ^ 1];
            }
            """;

    private KernelEmulator emulator;

    @BeforeAll
    void open() {
        emulator = KernelEmulator.open();
        emulator.prepare(List.of(new KernelCode("mistakes", MISTAKES), new KernelCode("races", RACES)));
    }

    @AfterAll
    void close() {
        if (emulator != null) {
            emulator.close();
        }
    }

    private float[] run(String source, String name, int shared, Object... more) {
        KernelCode code = new KernelCode(source.equals(RACES) ? "races" : "mistakes", source);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment x = arena.allocate(64 * 4, 256);
            for (int i = 0; i < 64; i++) {
                x.setAtIndex(JAVA_FLOAT, i, i);
            }
            MemorySegment values = arena.allocate(ADDRESS, 2);
            values.setAtIndex(ADDRESS, 0, arena.allocateFrom(JAVA_LONG, x.address()));
            values.setAtIndex(
                    ADDRESS,
                    1,
                    more.length > 0
                            ? arena.allocateFrom(JAVA_INT, (int) more[0])
                            : arena.allocateFrom(JAVA_LONG, x.address()));
            emulator.allocated(x.address(), x.byteSize());
            try {
                int[] grid = {1, 1, 1}, block = {64, 1, 1};
                emulator.launch(emulator.function(code, name), grid, block, shared, Order.FORWARD, values);
                return x.toArray(JAVA_FLOAT);
            } finally {
                emulator.freed(x.address());
            }
        }
    }

    private void refused(String source, String name, String why, Object... more) {
        String said = assertThrows(AssertionError.class, () -> run(source, name, 0, more))
                .getMessage();
        assertTrue(said.contains(why), said);
    }

    @Test
    void accessesBeyondAllocations() {
        refused(MISTAKES, "beyond", "writes memory that is not its own", 64);
        refused(MISTAKES, "before", "reads memory that is not its own");
        refused(MISTAKES, "misaligned", "not aligned");
    }

    @Test
    void missingBarriers() {
        refused(RACES, "no_barrier", "shared memory that");
        refused(RACES, "missing_second", "shared memory that another thread");
        refused(RACES, "unwritten", "that no thread has written");
        refused(RACES, "beyond_shared", "beyond an array's end");
        refused(RACES, "divergent", "ended before the others' barrier");
        refused(RACES, "early", "ended before the others' warp operation");
    }

    @Test
    void barriersAndShuffles() {
        float[] reversed = run(RACES, "barrier", 0);
        assertEquals(63, reversed[0]);
        assertEquals(0, reversed[63]);
        float[] sums = run(RACES, "sum", 0);
        assertEquals(31 * 16, sums[3]);
        assertEquals(31 * 16 + 32 * 32, sums[40]);
        float[] swapped = run(RACES, "dynamic", 256);
        assertArrayEquals(new float[] {1, 0, 3, 2}, java.util.Arrays.copyOf(swapped, 4));
    }

    @Test
    void driverCapturesAndReplays() {
        EmulatedDriver driver = new EmulatedDriver(emulator);
        KernelCode code = new KernelCode("races", RACES);
        long function = driver.function(driver.modules(List.of(code)).get(code), "dynamic");
        long stream = driver.createStream(), memory = driver.allocate(256);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(256);
            for (int i = 0; i < 64; i++) {
                host.setAtIndex(JAVA_FLOAT, i, i);
            }
            driver.upload(memory, host, stream);
            driver.beginCapture(stream);
            try (Arena soon = Arena.ofConfined()) {
                MemorySegment values = soon.allocate(ADDRESS, 1);
                values.setAtIndex(ADDRESS, 0, soon.allocateFrom(JAVA_LONG, memory));
                driver.launch(function, 1, 1, 1, 64, 1, 1, 256, stream, values);
            }
            driver.download(host, memory, stream);
            long graph = driver.endCapture(stream), executable = driver.instantiate(graph);
            assertEquals(2, driver.nodes(graph));
            driver.launchGraph(executable, stream);
            assertEquals(1, host.getAtIndex(JAVA_FLOAT, 0));
            driver.launchGraph(executable, stream);
            assertEquals(0, host.getAtIndex(JAVA_FLOAT, 0));
        }
        driver.free(memory);
        assertEquals(0, driver.liveAllocations());
    }
}
