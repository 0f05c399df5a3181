package io.kingfisher.runtime.cpu.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.nativebindings.NativeMemory;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A JVM without the Vector API says what to add, and computes the same bits. */
class WithoutVectorsTest {
    private static List<String> run(String... options) throws IOException, InterruptedException {
        String classes = Stream.of(KernelEngine.class, KernelBits.class, NativeMemory.class)
                .map(type -> type.getProtectionDomain().getCodeSource().getLocation())
                .map(url -> Path.of(java.net.URI.create(url.toString())).toString())
                .distinct()
                .collect(Collectors.joining(File.pathSeparator));
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options));
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", classes, KernelBits.class.getName()));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        List<String> lines = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
        assertEquals(0, process.waitFor());
        return lines;
    }

    @Test
    void theModuleMayBeAbsentOrUnwanted() throws IOException, InterruptedException {
        int expected;
        try (KernelEngine engine = new KernelEngine(2, KernelEngine.Mode.VECTOR)) {
            expected = KernelBits.hash(engine);
        }
        List<String> absent = run(), unwanted = run("--add-modules=jdk.incubator.vector", "-Dkingfisher.vector=false");
        assertTrue(absent.get(0).contains("--add-modules=jdk.incubator.vector"), absent::toString);
        assertTrue(unwanted.get(0).contains("kingfisher.vector=false"), unwanted::toString);
        assertEquals(Integer.toString(expected), absent.get(1));
        assertEquals(Integer.toString(expected), unwanted.get(1));
    }
}
