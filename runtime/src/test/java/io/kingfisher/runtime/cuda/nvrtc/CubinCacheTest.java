package io.kingfisher.runtime.cuda.nvrtc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.cuda.nvrtc.CubinCache.Key;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CubinCacheTest {
    private static final Key KEY = new Key("a.cu", "source", List.of("-arch", "-x"), "13.0");

    @TempDir
    Path folder;

    private static byte[] bytes(int seed) {
        var bytes = new byte[10_000 + seed];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static Optional<byte[]> absent() {
        return Optional.empty();
    }

    @Test
    void whatIsPutIsGot() {
        var cache = new CubinCache(folder.resolve("made/when/needed"));
        assertEquals(absent(), cache.get(KEY));
        cache.put(KEY, bytes(1));
        assertArrayEquals(bytes(1), cache.get(KEY).orElseThrow());
        cache.put(KEY, new byte[] {7});
        assertArrayEquals(new byte[] {7}, cache.get(KEY).orElseThrow());
        assertEquals(Optional.empty(), cache.trouble());
    }

    /** Everything that goes into a cubin makes another key, also where the parts' bytes joined are the same. */
    @Test
    void everyPartOfTheKeyCounts() {
        var hashes = Stream.of(
                        KEY,
                        new Key("b.cu", "source", List.of("-arch", "-x"), "13.0"),
                        new Key("a.cu", "sourcf", List.of("-arch", "-x"), "13.0"),
                        new Key("a.cu", "source", List.of("-arch", "-y"), "13.0"),
                        new Key("a.cu", "source", List.of("-x", "-arch"), "13.0"),
                        new Key("a.cu", "source", List.of("-arch-x"), "13.0"),
                        new Key("a.cu", "source", List.of("-arch", "-x"), "12.9"),
                        new Key("a.cus", "ource", List.of("-arch", "-x"), "13.0"),
                        new Key("-xa.cu", "source", List.of("-arch"), "13.0"))
                .map(Key::hash)
                .toList();
        assertEquals(hashes.size(), hashes.stream().distinct().count());
        assertEquals(KEY.hash(), new Key("a.cu", "source", List.of("-arch", "-x"), "13.0").hash());
    }

    @Test
    void aDamagedEntryIsNotUsedAndIsReplaced() throws IOException {
        var cache = new CubinCache(folder);
        cache.put(KEY, bytes(1));
        var file = cache.file(KEY);
        var whole = Files.readAllBytes(file);
        var flipped = whole.clone();
        flipped[flipped.length / 2] ^= 1;
        var hash = whole.clone();
        hash[25] ^= 1;
        for (var damaged : List.of(
                flipped,
                hash,
                Arrays.copyOf(whole, whole.length - 1),
                Arrays.copyOf(whole, whole.length + 1),
                Arrays.copyOf(whole, 30),
                new byte[0],
                bytes(2))) {
            Files.write(file, damaged);
            assertEquals(absent(), cache.get(KEY));
            assertEquals(Optional.of(file + " was damaged, and has been made anew"), cache.trouble());
            cache.put(KEY, bytes(1));
            assertArrayEquals(bytes(1), cache.get(KEY).orElseThrow());
        }
    }

    @Test
    void aFolderThatCannotBeWrittenIsSaid() throws IOException {
        var file = Files.writeString(folder.resolve("file"), "in the way");
        var cache = new CubinCache(file);
        cache.put(KEY, bytes(1));
        assertEquals(absent(), cache.get(KEY));
        var trouble = cache.trouble().orElseThrow();
        assertTrue(trouble.contains(file.toString()), trouble);
        var inside = new CubinCache(file.resolve("cubins"));
        inside.put(KEY, bytes(1));
        assertTrue(
                inside.trouble().orElseThrow().contains("set the system property kingfisher.cache"), inside::toString);
    }

    /** Three processes and this one write and read the same few entries; nobody ever reads a part of one. */
    @Test
    void severalProcessesAtOnce() throws Exception {
        var processes = new ArrayList<Process>();
        for (int i = 0; i < 3; i++) {
            processes.add(new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-cp",
                            System.getProperty("java.class.path") + File.pathSeparator
                                    + System.getProperty("jdk.module.path", "") + File.pathSeparator
                                    + "target/test-classes",
                            CubinCacheTest.class.getName(),
                            folder.toString())
                    .redirectErrorStream(true)
                    .start());
        }
        work(folder);
        for (var process : processes) {
            var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(process.waitFor(1, TimeUnit.MINUTES));
            assertEquals(0, process.exitValue(), output);
        }
        try (var files = Files.list(folder)) {
            assertEquals(
                    10, files.filter(file -> file.toString().endsWith(".cubin")).count());
        }
        try (var files = Files.list(folder)) {
            assertEquals(10, files.count());
        }
    }

    /** What each process does. */
    public static void main(String[] arguments) {
        work(Path.of(arguments[0]));
    }

    private static void work(Path folder) {
        var cache = new CubinCache(folder);
        for (int i = 0; i < 2000; i++) {
            int which = i % 10;
            var key = new Key("k" + which, "source", List.of(), "1");
            cache.get(key).ifPresent(found -> assertArrayEquals(bytes(which), found));
            cache.put(key, bytes(which));
            assertArrayEquals(bytes(which), cache.get(key).orElseThrow());
        }
        assertEquals(Optional.empty(), cache.trouble());
    }
}
