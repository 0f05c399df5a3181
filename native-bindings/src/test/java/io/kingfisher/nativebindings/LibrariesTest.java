package io.kingfisher.nativebindings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Loads the libraries in JVMs of their own, each told to find them otherwise. */
class LibrariesTest {
    private static final String ALLOWED = "--enable-native-access=ALL-UNNAMED";

    @TempDir
    Path folder;

    private record Run(int exit, String output) {
        void assertSays(String... texts) {
            for (var text : texts) {
                assertTrue(output.contains(text), () -> "no \"" + text + "\" in\n" + output);
            }
            assertEquals(0, exit, output);
        }
    }

    private static List<String> jars() {
        var path =
                System.getProperty("jdk.module.path", "") + File.pathSeparator + System.getProperty("java.class.path");
        return Arrays.stream(path.split(File.pathSeparator))
                .filter(element -> element.contains("bytedeco") && element.endsWith(".jar"))
                .toList();
    }

    private static String classPath(boolean withJars) {
        var elements = new ArrayList<>(List.of("target/classes", "target/test-classes"));
        if (withJars) {
            elements.addAll(jars());
        }
        return String.join(File.pathSeparator, elements);
    }

    private static Process start(Map<String, String> environment, List<String> flags, String... arguments)
            throws IOException {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(flags);
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment()
                .keySet()
                .removeIf(name -> name.startsWith("KINGFISHER_")
                        || name.equals("GOMP_SPINCOUNT")
                        || name.equals("OMP_WAIT_POLICY"));
        builder.environment().putAll(environment);
        return builder.start();
    }

    private static Run finish(Process process) throws IOException, InterruptedException {
        var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(2, TimeUnit.MINUTES), "still running:\n" + output);
        return new Run(process.exitValue(), output);
    }

    private static Run run(String... flags) throws IOException, InterruptedException {
        return finish(start(Map.of(), List.of(flags), "-cp", classPath(true), LoadProbe.class.getName()));
    }

    /** Any library of the jars, unpacked, as the environment of this test has loaded it. */
    private static Path loaded(String name) {
        return (name.equals("dnnl") ? Libraries.dnnl() : Libraries.openblas()).path();
    }

    @Test
    void aFileNamedByAPropertyIsUsedOrRefused() throws Exception {
        run(ALLOWED, "-Dkingfisher.dnnl.path=" + folder.resolve("absent.so"))
                .assertSays("refused: the system property kingfisher.dnnl.path names", "there is no such file");

        var garbage = Files.writeString(folder.resolve("garbage.so"), "garbage".repeat(100));
        run(ALLOWED, "-Dkingfisher.dnnl.path=" + garbage).assertSays("it is not a shared library");

        var truncated = folder.resolve("truncated.so");
        try (var in = Files.newInputStream(loaded("dnnl"))) {
            Files.write(truncated, in.readNBytes(1 << 20));
        }
        run(ALLOWED, "-Dkingfisher.dnnl.path=" + truncated).assertSays("it is truncated: 1048576 of at least");

        run(ALLOWED, "-Dkingfisher.dnnl.path=" + loaded("openblas")).assertSays("not a complete oneDNN");

        // The folder of the library will do, too.
        run(ALLOWED, "-Dkingfisher.dnnl.path=" + loaded("dnnl").getParent())
                .assertSays("loaded dnnl", "from the system property kingfisher.dnnl.path");
    }

    @Test
    void aFileNamedByAnEnvironmentVariableIsUsedOrRefused() throws Exception {
        var classPath = classPath(true);
        var variable = Map.of("KINGFISHER_OPENBLAS_PATH", loaded("openblas").toString());
        finish(start(variable, List.of(ALLOWED), "-cp", classPath, LoadProbe.class.getName()))
                .assertSays("from the environment variable KINGFISHER_OPENBLAS_PATH");
        var wrong = Map.of("KINGFISHER_OPENBLAS_PATH", "/dev/null");
        finish(start(wrong, List.of(ALLOWED), "-cp", classPath, LoadProbe.class.getName()))
                .assertSays("refused: the environment variable KINGFISHER_OPENBLAS_PATH names /dev/null");
    }

    @Test
    void aDamagedCacheIsRebuilt() throws Exception {
        var cache = "-Dkingfisher.cache=" + folder;
        run(ALLOWED, cache).assertSays("loaded dnnl", "dnnl rejected []");
        var library = find("libdnnl.so.3");
        var openblas = find("libopenblas.so.0");
        var intact = Files.readAllBytes(library);

        // One wrong bit in the code of the one, a truncated other.
        try (var file = new RandomAccessFile(library.toFile(), "rw")) {
            file.seek(intact.length / 2);
            file.write(intact[intact.length / 2] ^ 1);
        }
        try (var file = new RandomAccessFile(openblas.toFile(), "rw")) {
            file.setLength(12345);
        }
        run(ALLOWED, cache).assertSays("loaded dnnl", "it was not what had been unpacked, and has been unpacked anew");
        assertEquals(-1, Arrays.mismatch(intact, Files.readAllBytes(library)));
        assertTrue(Files.size(openblas) > 12345);

        // Only the time has changed: hashed once more, and kept.
        Files.setLastModifiedTime(library, java.nio.file.attribute.FileTime.fromMillis(1_000_000));
        run(ALLOWED, cache).assertSays("dnnl rejected []", "openblas rejected []");

        // The record of the hash is gone: nothing vouches for the file.
        Files.delete(library.resolveSibling("libdnnl.so.3.sha256"));
        run(ALLOWED, cache).assertSays("unpacked anew");
    }

    private Path find(String name) throws IOException {
        try (var files = Files.walk(folder)) {
            return files.filter(file -> file.getFileName().toString().equals(name))
                    .findFirst()
                    .orElseThrow();
        }
    }

    @Test
    void processesAndThreadsMayUnpackAtOnce() throws Exception {
        var processes = new ArrayList<Process>();
        for (int i = 0; i < 3; i++) {
            processes.add(start(
                    Map.of(),
                    List.of(ALLOWED, "-Dkingfisher.cache=" + folder),
                    "-cp",
                    classPath(true),
                    LoadProbe.class.getName(),
                    "4"));
        }
        for (var process : processes) {
            var run = finish(process);
            run.assertSays("loaded dnnl");
            assertFalse(run.output.contains("refused"), run.output);
        }
        try (var files = Files.walk(folder)) {
            var left = files.filter(file -> file.toString().endsWith(".tmp")).toList();
            assertEquals(List.of(), left);
        }
    }

    @Test
    void aCacheThatCannotBeWrittenIsNamed() throws Exception {
        var file = Files.writeString(folder.resolve("file"), "in the way");
        var run = run(ALLOWED, "-Dkingfisher.cache=" + file);
        run.assertSays("cannot be unpacked into " + file, "set the system property kingfisher.cache");
    }

    @Test
    void nativeAccessMustBeGranted() throws Exception {
        for (var denied : List.of("deny", "warn")) {
            run("--illegal-native-access=" + denied)
                    .assertSays("refused: Kingfisher calls native libraries, which this JVM was not told to allow: add"
                            + " --enable-native-access=ALL-UNNAMED to the java command");
        }
    }

    @Test
    void theDefaultNumberOfThreadsIsSetBeforeLoading() throws Exception {
        // The probe asks on a thread that never set a number of its own.
        run(ALLOWED, "-Dprobe.threads=3").assertSays("threads 3 and 3");
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, disabledReason = "only GNU's OpenMP counts spins")
    void waitingThreadsSpinBrieflyUnlessTheUserSaysHowLong() throws Exception {
        // The OpenMP runtime prints what it has read.
        probeSpins(Map.of("OMP_DISPLAY_ENV", "VERBOSE")).assertSays("GOMP_SPINCOUNT = '20000'");
        probeSpins(Map.of("OMP_DISPLAY_ENV", "VERBOSE", "GOMP_SPINCOUNT", "7")).assertSays("GOMP_SPINCOUNT = '7'");
    }

    private Run probeSpins(Map<String, String> environment) throws Exception {
        return finish(start(
                environment, List.of(ALLOWED, "-Dprobe.threads=2"), "-cp", classPath(true), LoadProbe.class.getName()));
    }

    @Test
    void theJarsAreFoundOnTheModulePath() throws Exception {
        var modulePath = Stream.concat(Stream.of("target/classes"), jars().stream())
                .collect(Collectors.joining(File.pathSeparator));
        var module = "io.kingfisher.nativebindings";
        String[] arguments = {
            "-p",
            modulePath,
            "--patch-module",
            module + "=target/test-classes",
            "-m",
            module + "/" + LoadProbe.class.getName()
        };
        finish(start(Map.of(), List.of("--illegal-native-access=deny", "--enable-native-access=" + module), arguments))
                .assertSays("loaded dnnl", "from the jar");
        finish(start(Map.of(), List.of("--illegal-native-access=deny"), arguments))
                .assertSays("add --enable-native-access=io.kingfisher.nativebindings");
    }

    @Test
    void withoutTheJarsTheUserIsToldWhatToAdd() throws Exception {
        var run = finish(start(Map.of(), List.of(ALLOWED), "-cp", classPath(false), LoadProbe.class.getName()));
        run.assertSays("no jar on the class path or module path holds org/bytedeco/");
        // A machine with its own oneDNN and OpenBLAS is served by them.
        assertTrue(
                run.output.contains("from the system's search path")
                        || run.output.contains("add the jar org.bytedeco:"),
                run.output);
    }
}
