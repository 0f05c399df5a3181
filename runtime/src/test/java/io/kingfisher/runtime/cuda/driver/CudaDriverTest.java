package io.kingfisher.runtime.cuda.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real driver's code over a libcuda made by the C compiler, in JVMs of their own. */
class CudaDriverTest {
    @TempDir
    static Path folder;

    private static Path library;

    @BeforeAll
    static void compile() throws Exception {
        library = folder.resolve("libcuda.so.1");
        var source = folder.resolve("fake_cuda.c");
        try (var in = CudaDriverTest.class.getResourceAsStream("fake_cuda.c")) {
            Files.copy(in, source);
        }
        Process process;
        try {
            process = new ProcessBuilder(
                            "cc", "-shared", "-fPIC", "-Werror", "-o", library.toString(), source.toString())
                    .redirectErrorStream(true)
                    .start();
        } catch (IOException e) {
            assumeTrue(false, "there is no C compiler (cc) on the PATH");
            return;
        }
        var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
    }

    private static List<String> run(Map<String, String> environment, Path cuda, String... arguments) throws Exception {
        var command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules=jdk.incubator.vector",
                "-Dkingfisher.cuda.path=" + cuda,
                "-cp",
                System.getProperty("java.class.path") + File.pathSeparator + System.getProperty("jdk.module.path", "")
                        + File.pathSeparator + "target/test-classes",
                DriverProbe.class.getName()));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        var process = builder.start();
        var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(1, TimeUnit.MINUTES));
        assertEquals(0, process.exitValue(), output);
        return output.lines().filter(line -> !line.startsWith("WARNING")).toList();
    }

    @Test
    void everyCallReachesTheDriverAsItShould() throws Exception {
        var log = folder.resolve("log");
        var printed = run(Map.of("FAKE_CUDA_LOG", log.toString()), library, "calls");
        assertEquals("""
                Properties[name=Fake 41, major=75, minor=76, multiprocessors=16, memoryBytes=151397597184, l2Bytes=38, sharedBytes=97, driverVersion=12080]
                2 devices
                [21474836480, 25769803776]
                [1.0, NaN, 3.0, 1.0]
                1.5
                7 nodes
                NativeException: cuMemAlloc_v2 returned CUDA_ERROR_OUT_OF_MEMORY (2): out of memory; use a smaller batch, or end other programs that use the GPU (nvidia-smi lists them)
                NativeException: cuModuleLoadDataEx returned CUDA_ERROR_INVALID_IMAGE (200): text.cu: not an ELF file: device kernel image is invalid
                NativeException: cuModuleGetFunction returned CUDA_ERROR_NOT_FOUND (500): absent: named symbol not found
                NativeException: cuStreamSynchronize returned CUDA_ERROR_ILLEGAL_ADDRESS (700): an illegal memory access was encountered; a kernel failed and nothing more can be done in this process: run with KINGFISHER_DEBUG=sync to find the operation
                NativeException: cuGraphInstantiateWithParams returned CUgraphInstantiateResult 3 (3): the graph cannot be launched as it is
                IllegalStateException: the driver of Fake 41 has been closed
                IllegalStateException: the driver of Fake 41 has been closed\
                """, String.join("\n", printed));
        assertEquals("""
                cuInit 0
                retain 41
                current 0x1234567890
                cuInit 0
                stream 1
                event 0
                event 2
                alloc 16
                alloc 1
                pinned 16 1
                upload 16 0x51
                fill 255 4 0x51
                copy 4 0x51
                download 16 0x51
                record 0xe7 0x51
                wait 0x51 0xe7 0
                synchronize event 0xe7
                elapsed 0xe7 0xe7
                module
                function 0x30d softmax
                set 0xf00 8 100000
                launch 0xf00 1 2 3 4 5 6 7 0x51 -3 0.25 (nil)
                begin 0x51 1
                end 0x51
                nodes 0x6 (nil)
                instantiate 0x6 0
                destroy graph 0x6
                upload graph 0xeec 0x51
                launch graph 0xeec 0x51
                destroy executable 0xeec
                synchronize 0x51
                instantiate 0xbad 0
                free
                free
                free pinned
                destroy event 0xe7
                destroy stream 0x51
                module
                unload 0x30d
                current 0x1234567890
                release 41\
                """, String.join("\n", Files.readAllLines(log)));
    }

    @Test
    void theReplayPathAllocatesNothing() throws Exception {
        assertEquals(List.of("0 bytes"), run(Map.of(), library, "heap"));
    }

    @Test
    void whatIsMissingIsSaidInOneSentence() throws Exception {
        assertEquals(
                List.of("NativeLibraryException: the system property kingfisher.cuda.path names "
                        + folder.resolve("absent.so")
                        + ", which cannot be used as the CUDA driver: there is no such file; correct it, or remove it to"
                        + " look elsewhere"),
                run(Map.of(), folder.resolve("absent.so"), "open", "0"));
        assertEquals(
                List.of(
                        "NativeException: cuInit returned CUDA_ERROR_NO_DEVICE (100): no CUDA-capable device is detected;"
                                + " check that nvidia-smi lists a GPU, and CUDA_VISIBLE_DEVICES"),
                run(Map.of("FAKE_CUDA_NONE", "1"), library, "open", "0"));
        assertEquals(
                List.of("KingfisherException: there is no cuda:2: the driver sees 2 GPUs, from cuda:0 to cuda:1; choose"
                        + " one of them, or check CUDA_VISIBLE_DEVICES"),
                run(Map.of(), library, "open", "2"));
    }
}
