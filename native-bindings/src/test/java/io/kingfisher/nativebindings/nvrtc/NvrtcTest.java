package io.kingfisher.nativebindings.nvrtc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.kingfisher.nativebindings.CudaLibrary;
import io.kingfisher.nativebindings.NativeException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class NvrtcTest {
    private static final String DOUBLE = """
            extern "C" __global__ void twice(float *x, int n) {
                int i = blockIdx.x * blockDim.x + threadIdx.x;
                if (i < n) x[i] *= 2;
            }
            """;

    @BeforeAll
    static void nvrtc() {
        var report = CudaLibrary.NVRTC.report();
        assumeTrue(report.found().isPresent(), () -> report + "; -Pnvrtc brings it");
    }

    private static byte[] compile(String source, String... options) {
        try (var program = new NvrtcProgram("twice.cu", source)) {
            program.compile(List.of(options));
            return program.cubin();
        }
    }

    @Test
    void compilesForEveryArchitectureThatItKnows() {
        var architectures = Nvrtc.architectures();
        assertTrue(architectures.containsAll(List.of(80, 90)), architectures::toString);
        for (int architecture : architectures) {
            var cubin = compile(DOUBLE, "--gpu-architecture=sm_" + architecture);
            assertArrayEquals(new byte[] {0x7f, 'E', 'L', 'F'}, java.util.Arrays.copyOf(cubin, 4));
            // The machine of the ELF file is CUDA's.
            assertEquals(190, cubin[18] & 0xff);
        }
    }

    /** Declarations of the device's functions come from NVRTC's other library, which is loaded first. */
    @Test
    void hasItsBuiltins() {
        var source = DOUBLE.replace("x[i] *= 2", "x[i] = rsqrtf(__shfl_down_sync(0xffffffffu, x[i], 1))");
        assertTrue(compile(source, "--gpu-architecture=sm_90").length > 0);
    }

    @Test
    void sameSourceSameCubin() {
        assertArrayEquals(
                compile(DOUBLE, "--gpu-architecture=sm_80", "--std=c++17"),
                compile(DOUBLE, "--gpu-architecture=sm_80", "--std=c++17"));
    }

    @Test
    void tellsRegistersWhenAsked() {
        try (var program = new NvrtcProgram("twice.cu", DOUBLE)) {
            var log = program.compile(List.of("--gpu-architecture=sm_90", "--ptxas-options=-v"));
            assertTrue(log.contains("registers") && log.contains("0 bytes spill stores"), log);
        }
    }

    @Test
    void anErrorNamesTheFileAndTheLine() {
        var wrong = DOUBLE.replace("x[i] *= 2", "y[i] *= 2");
        var e = assertThrows(NativeException.class, () -> compile(wrong, "--gpu-architecture=sm_90"));
        assertEquals("nvrtcCompileProgram", e.function());
        assertEquals("NVRTC_ERROR_COMPILATION", e.statusName());
        assertTrue(e.getMessage().contains("twice.cu(3): error: identifier \"y\" is undefined"), e::getMessage);
        var option = assertThrows(NativeException.class, () -> compile(DOUBLE, "--gpu-architecture=sm_1"));
        assertTrue(option.getMessage().contains("--gpu-architecture"), option::getMessage);
    }

    @Test
    void aClosedProgramFails() {
        var program = new NvrtcProgram("twice.cu", DOUBLE);
        program.close();
        program.close();
        var e = assertThrows(IllegalStateException.class, program::cubin);
        assertEquals("this program of twice.cu has been closed", e.getMessage());
    }

    /** Ten thousand parentheses, by a thread with a small stack. */
    @Test
    void deeplyNestedSourcesHaveStack() throws Exception {
        var deep = DOUBLE.replace("x[i] *= 2", "x[i] = " + "(".repeat(10_000) + "x[i] * 2" + ")".repeat(10_000));
        var task = new FutureTask<>(() -> compile(deep, "--gpu-architecture=sm_90"));
        Thread.ofPlatform().stackSize(512 << 10).start(task);
        assertArrayEquals(compile(DOUBLE, "--gpu-architecture=sm_90"), task.get());
    }

    /** Somebody who no longer wants the result cannot stop the compiler, and is still interrupted afterwards. */
    @Test
    void interruptsWait() {
        Thread.currentThread().interrupt();
        assertTrue(compile(DOUBLE, "--gpu-architecture=sm_90").length > 0);
        assertTrue(Thread.interrupted());
    }

    @Test
    void threadsMayCompileAtOnce() throws Exception {
        var expected = compile(DOUBLE, "--gpu-architecture=sm_90");
        try (var pool = Executors.newFixedThreadPool(8)) {
            var results = new ArrayList<Future<byte[]>>();
            for (int i = 0; i < 32; i++) {
                Callable<byte[]> task = () -> compile(DOUBLE, "--gpu-architecture=sm_90");
                results.add(pool.submit(task));
            }
            for (var result : results) {
                assertArrayEquals(expected, result.get());
            }
        }
    }
}
