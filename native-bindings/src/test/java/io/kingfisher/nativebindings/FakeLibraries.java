package io.kingfisher.nativebindings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Shared libraries, made by the C compiler, that say of themselves what NVIDIA's do. */
final class FakeLibraries {
    private FakeLibraries() {}

    /** Skips the test where there is no C compiler. */
    static void assumeCompiler() {
        boolean found;
        try {
            found = new ProcessBuilder("cc", "--version")
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            found = false;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        assumeTrue(found, "there is no C compiler (cc) on the PATH");
    }

    /** A library with {@code prefixGetProperty}, which tells the version. */
    static Path properties(Path file, String prefix, int major, int minor, String symbol, String... linkedTo) {
        return compile(file, """
                int %sGetProperty(int type, int *value) { *value = type == 0 ? %d : type == 1 ? %d : 7; return 0; }
                int %s(void) { return 0; }
                """.formatted(prefix, major, minor, symbol), linkedTo);
    }

    static Path cublas(Path file, int major, int minor) {
        return properties(file, "cublas", major, minor, "cublasGemmStridedBatchedEx_64");
    }

    /** A driver that supports the CUDA of a version such as 12080. */
    static Path driver(Path file, int version) {
        return compile(file, """
                int cuDriverGetVersion(int *version) { *version = %d; return 0; }
                int cuGraphInstantiateWithParams(void) { return 0; }
                """.formatted(version));
    }

    static Path compile(Path file, String source, String... flags) {
        try {
            Files.createDirectories(file.getParent());
            var c = Files.writeString(Files.createTempFile("fake", ".c"), source);
            var command = new ArrayList<>(List.of(
                    "cc",
                    "-shared",
                    "-fPIC",
                    "-Wl,-soname," + file.getFileName(),
                    "-o",
                    file.toString(),
                    c.toString()));
            command.addAll(List.of(flags));
            var process = new ProcessBuilder(command).redirectErrorStream(true).start();
            var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(process.waitFor(1, TimeUnit.MINUTES));
            assertEquals(0, process.exitValue(), output);
            Files.delete(c);
            return file;
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
