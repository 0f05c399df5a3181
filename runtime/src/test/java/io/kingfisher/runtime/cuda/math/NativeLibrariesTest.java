package io.kingfisher.runtime.cuda.math;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.kingfisher.runtime.cuda.kernels.KernelEmulator;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The calls of NVIDIA's libraries go through the bindings to libraries of our own with the same functions. */
class NativeLibrariesTest {
    @TempDir
    Path folder;

    @Test
    void callsArriveAsTheyAreMeant() throws Exception {
        assumeTrue(File.separatorChar == '/', "the libraries are built for Linux");
        KernelEmulator.open().close();
        Path source = folder.resolve("nvidia.cpp");
        try (var in = NativeLibrariesTest.class.getResourceAsStream("nvidia.cpp")) {
            Files.write(source, in.readAllBytes());
        }
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", classPath()));
        Path built = folder.resolve("libnvidia.so");
        run(List.of("g++", "-shared", "-fPIC", "-O1", "-w", "-o", built.toString(), source.toString()));
        for (String name : List.of("cublas.so.13", "cublasLt.so.13", "cudnn.so.9", "cusolver.so.12")) {
            Path library = Files.copy(built, folder.resolve("lib" + name));
            String property = name.substring(0, name.indexOf('.')).toLowerCase(java.util.Locale.ROOT);
            command.add("-Dkingfisher." + property + ".path=" + library);
        }
        command.addAll(List.of(
                NativeLibrariesProbe.class.getName(), folder.resolve("measured").toString()));
        String output = run(command);
        assertTrue(output.strip().endsWith("done"), output);
        // Of four convolutions the two that need not be deterministic have been measured.
        try (Stream<Path> files = Files.list(folder.resolve("measured"))) {
            assertEquals(2, files.count());
        }
    }

    private static String classPath() {
        return Stream.of("java.class.path", "jdk.module.path", "surefire.test.class.path")
                        .map(System::getProperty)
                        .filter(Objects::nonNull)
                        .reduce((a, b) -> a + File.pathSeparator + b)
                        .orElseThrow()
                + File.pathSeparator
                + Path.of("target", "test-classes").toAbsolutePath()
                + File.pathSeparator
                + Path.of("target", "classes").toAbsolutePath();
    }

    private static String run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), command + "\n" + output);
        return output;
    }
}
