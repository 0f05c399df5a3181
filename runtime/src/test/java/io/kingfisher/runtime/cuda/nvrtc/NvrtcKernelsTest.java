package io.kingfisher.runtime.cuda.nvrtc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.kingfisher.nativebindings.CudaLibrary;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.cuda.driver.Driver;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NvrtcKernelsTest {
    @TempDir
    Path folder;

    /** What was loaded, in order. */
    private final List<byte[]> loaded = new ArrayList<>();

    @BeforeAll
    static void nvrtc() {
        var report = CudaLibrary.NVRTC.report();
        assumeTrue(report.found().isPresent(), () -> report + "; -Pnvrtc brings it");
    }

    private static KernelCode kernel(String name) {
        return new KernelCode(
                name + ".cu", "extern \"C\" __global__ void " + name + "(float *x) { x[threadIdx.x] += 1; }\n");
    }

    /** A driver that can do nothing but tell what it is and load modules. */
    private Driver driver(int major, int minor) {
        return (Driver) Proxy.newProxyInstance(
                Driver.class.getClassLoader(),
                new Class<?>[] {Driver.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "properties" -> new Driver.Properties("GPU", major, minor, 1, 1, 1, 1, 13000);
                    case "loadModule" -> {
                        loaded.add((byte[]) arguments[0]);
                        yield (long) loaded.size();
                    }
                    default -> throw new UnsupportedOperationException(method.getName());
                });
    }

    @Test
    void compilesOnceAndKeeps() throws IOException {
        var cache = new CubinCache(folder);
        var kernels = new NvrtcKernels(driver(9, 0), cache);
        var a = kernel("a");
        var b = kernel("b");
        var modules = kernels.modules(List.of(a, b, a));
        assertEquals(2, modules.size());
        assertEquals(2, loaded.size());
        // What was asked for before is not loaded again.
        assertEquals(modules.get(b), kernels.modules(List.of(b)).get(b));
        assertEquals(2, loaded.size());
        assertTrue(kernels.report().get(1).endsWith("0 taken from it, 2 compiled"), kernels.report()::toString);

        // Another process finds the same bytes in the cache.
        var again = new NvrtcKernels(driver(9, 0), cache);
        again.modules(List.of(a, b));
        assertArrayEquals(loaded.get(0), loaded.get(2));
        assertArrayEquals(loaded.get(1), loaded.get(3));
        assertTrue(again.report().get(1).endsWith("2 taken from it, 0 compiled"), again.report()::toString);

        // A damaged one is compiled again, to the same bytes.
        try (var files = Files.list(folder)) {
            for (var file : files.toList()) {
                Files.write(file, new byte[100]);
            }
        }
        var third = new NvrtcKernels(driver(9, 0), cache);
        third.modules(List.of(a, b));
        assertArrayEquals(loaded.get(0), loaded.get(4));
        assertTrue(third.report().get(1).endsWith("0 taken from it, 2 compiled"), third.report()::toString);
        assertTrue(third.report().get(2).contains("was damaged, and has been made anew"), third.report()::toString);

        // Another architecture is another cubin.
        new NvrtcKernels(driver(8, 0), cache).modules(List.of(a));
        try (var files = Files.list(folder)) {
            assertEquals(3, files.count());
        }
    }

    @Test
    void anErrorNamesTheKernelTheLineAndTheCompiler() {
        var kernels = new NvrtcKernels(driver(9, 0), new CubinCache(folder));
        var wrong = new KernelCode("wrong.cu", "extern \"C\" __global__ void wrong(float *x) {\n  y[0] = 1;\n}\n");
        var e = assertThrows(KingfisherException.class, () -> kernels.modules(List.of(kernel("a"), wrong)));
        assertTrue(
                e.getMessage().startsWith("the kernels of wrong.cu do not compile for sm_90 by NVRTC "), e::getMessage);
        assertTrue(e.getMessage().contains("wrong.cu(2): error: identifier \"y\" is undefined"), e::getMessage);
        // The others can be had all the same.
        assertEquals(1, kernels.modules(List.of(kernel("a"))).size());
    }

    @Test
    void anUnknownArchitectureIsRefused() {
        var e = assertThrows(KingfisherException.class, () -> new NvrtcKernels(driver(99, 0), new CubinCache(folder)));
        assertTrue(e.getMessage().contains("cannot compile kernels for sm_990"), e::getMessage);
        assertTrue(e.getMessage().endsWith("install the NVRTC of a newer CUDA"), e::getMessage);
        var old = assertThrows(KingfisherException.class, () -> new NvrtcKernels(driver(3, 0), new CubinCache(folder)));
        assertTrue(old.getMessage().endsWith("install the NVRTC of an older CUDA"), old::getMessage);
    }
}
