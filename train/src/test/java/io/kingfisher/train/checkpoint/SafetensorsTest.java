package io.kingfisher.train.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.KingfisherException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
    @TempDir
    private Path folder;

    static SafeTensor floats(String name, long[] shape, float... values) {
        return new SafeTensor(name, "F32", shape, MemorySegment.ofArray(values));
    }

    /** A file's bytes from a header and data, without the writer under test. */
    static byte[] bytes(String header, byte... data) {
        byte[] json = header.getBytes(UTF_8);
        return ByteBuffer.allocate(8 + json.length + data.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length)
                .put(json)
                .put(data)
                .array();
    }

    private String messageOf(byte[] file) throws IOException {
        Path path = Files.write(folder.resolve("bad.safetensors"), file);
        try (Arena arena = Arena.ofConfined()) {
            String message = assertThrows(KingfisherException.class, () -> Safetensors.read(path, arena))
                    .getMessage();
            assertTrue(message.startsWith(path + ": "), message);
            return message;
        }
    }

    @Test
    void whatIsWrittenIsReadBack() {
        Path path = folder.resolve("made/along/the way.safetensors");
        var tensors = List.of(
                floats("b", new long[] {2, 3}, 1, 2, 3, 4, 5, Float.NaN),
                new SafeTensor("flags", "U8", new long[] {3}, MemorySegment.ofArray(new byte[] {1, 2, 3})),
                new SafeTensor("wide", "F64", new long[] {1, 1}, MemorySegment.ofArray(new double[] {Math.PI})),
                new SafeTensor("half", "BF16", new long[] {1}, MemorySegment.ofArray(new short[] {0x3F80})),
                new SafeTensor("small", "F16", new long[] {2}, MemorySegment.ofArray(new short[] {0x3C00, 1})),
                new SafeTensor("steps", "I64", new long[] {}, MemorySegment.ofArray(new long[] {Long.MIN_VALUE})),
                new SafeTensor("index", "I32", new long[] {2}, MemorySegment.ofArray(new int[] {-1, 7})),
                floats("empty", new long[] {0, 5}),
                floats("a \"name\" \u00fc", new long[] {}, 9));
        Safetensors.write(path, Map.of("format", "pt", "note", "\u00e9\n"), tensors);
        try (Arena arena = Arena.ofConfined()) {
            Safetensors read = Safetensors.read(path, arena);
            assertEquals(Map.of("format", "pt", "note", "\u00e9\n"), read.metadata());
            assertEquals(tensors.size(), read.tensors().size());
            for (SafeTensor tensor : tensors) {
                SafeTensor back = read.find(tensor.name()).orElseThrow();
                assertEquals(tensor.dtype(), back.dtype());
                assertArrayEquals(tensor.shapeArray(), back.shapeArray());
                assertEquals(-1, tensor.data().mismatch(back.data()), tensor.name());
                assertEquals(0, back.data().address() % 64, tensor.name());
            }
            assertEquals(6, read.find("b").orElseThrow().elements());
        }
    }

    @Test
    void aFileWithoutTensorsIsFine() {
        Path path = folder.resolve("none.safetensors");
        Safetensors.write(path, Map.of(), List.of());
        try (Arena arena = Arena.ofConfined()) {
            assertEquals(List.of(), Safetensors.read(path, arena).tensors());
        }
    }

    @Test
    void everyTensorIsAlignedToItsElements() throws IOException {
        Path path = folder.resolve("aligned.safetensors");
        Safetensors.write(
                path,
                Map.of(),
                List.of(
                        new SafeTensor("a", "U8", new long[] {1}, MemorySegment.ofArray(new byte[1])),
                        floats("b", new long[] {1}, 1),
                        new SafeTensor("c", "F64", new long[] {1}, MemorySegment.ofArray(new double[1]))));
        byte[] file = Files.readAllBytes(path);
        long header = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
        assertEquals(0, header % 8);
        String json = new String(file, 8, (int) header, UTF_8);
        assertTrue(json.contains("\"c\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}"), json);
        assertTrue(json.contains("\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}"), json);
        assertTrue(json.contains("\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[12,13]}"), json);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}} | needs 4 bytes",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}} | should end at offset",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}} | leaves a gap after the header",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}} | 4 bytes at offset",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}} | overlaps tensor 'a'",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} | Duplicate",
                "{\"a\":{\"dtype\":\"F99\",\"shape\":[2],\"data_offsets\":[0,8]}} | dtype 'F99' is not known",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}} | negative",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,8]}} | too large",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}} | has the shape",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,99999999999999999999]}} | range",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}} | needs 8 bytes",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}} | has not exactly",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}} | has not exactly",
                "{\"a\":7} | has not exactly",
                "{\"__metadata__\":{\"a\":1}} | is not a text",
                "{\"__metadata__\":[]} | not an object of texts",
                "[] | does not begin with",
                "{\"a\":{} | not valid",
                "{} {} | not valid"
            })
    void refusesHeadersThatDoNotFit(String header, String expected) throws IOException {
        String message = messageOf(bytes(header, new byte[8]));
        assertTrue(message.contains(expected), message);
    }

    @Test
    void refusesWrongLengths() throws IOException {
        assertTrue(messageOf(new byte[0]).contains("only 0 bytes"));
        assertTrue(messageOf(new byte[7]).contains("only 7 bytes"));
        byte[] file = bytes("{}");
        file[7] = (byte) 0x80;
        assertTrue(messageOf(file).contains("header length at offset 0 is 9223372036854775810"));
        file[7] = 0x10;
        assertTrue(messageOf(file).contains("header length"));
        assertTrue(messageOf(Arrays.copyOf(bytes("{}      "), 12)).contains("header length at offset 0 is 8"));
        assertTrue(messageOf(bytes("")).contains("does not begin with"));
        byte[] notUtf8 = bytes("{\"a\":1}");
        notUtf8[10] = (byte) 0xFF;
        assertTrue(messageOf(notUtf8).contains("not UTF-8"));
    }

    @Test
    void aTensorThatIsCutShortIsNamedWithItsOffset() throws IOException {
        Path path = folder.resolve("cut.safetensors");
        Safetensors.write(path, Map.of(), List.of(floats("w", new long[] {100}, new float[100])));
        byte[] file = Files.readAllBytes(path);
        String message = messageOf(Arrays.copyOf(file, file.length - 1));
        assertTrue(message.contains("it is cut short: tensor 'w' should end at offset " + file.length), message);
    }

    @Test
    void refusesMissingFilesAndFolders() {
        try (Arena arena = Arena.ofConfined()) {
            var missing =
                    assertThrows(KingfisherException.class, () -> Safetensors.read(folder.resolve("missing"), arena));
            assertTrue(missing.getMessage().contains("there is no such file"));
            var directory = assertThrows(KingfisherException.class, () -> Safetensors.read(folder, arena));
            assertTrue(directory.getMessage().contains("it is a folder"));
        }
    }

    @Test
    void refusesToWriteWhatCannotBeRead() {
        assertThrows(IllegalArgumentException.class, () -> floats("a", new long[] {3}, 1));
        assertThrows(IllegalArgumentException.class, () -> floats("a", new long[] {-1}, 1));
        assertThrows(
                IllegalArgumentException.class,
                () -> new SafeTensor("a", "F31", new long[] {1}, MemorySegment.ofArray(new byte[4])));
        var twice = List.of(floats("a", new long[] {1}, 1), floats("a", new long[] {1}, 2));
        Path path = folder.resolve("twice.safetensors");
        assertThrows(IllegalArgumentException.class, () -> Safetensors.write(path, Map.of(), twice));
        assertFalse(Files.exists(path));
    }

    @Test
    void aFailedWriteLeavesTheOldFile() throws IOException {
        Path path = folder.resolve("kept.safetensors");
        Safetensors.write(path, Map.of(), List.of(floats("a", new long[] {1}, 1)));
        byte[] before = Files.readAllBytes(path);
        var e = assertThrows(
                KingfisherException.class,
                () -> AtomicFile.write(path, file -> {
                    file.write(ByteBuffer.wrap(new byte[100]));
                    throw new IOException("No space left on device");
                }));
        assertTrue(e.getMessage().contains("No space left on device"), e.getMessage());
        assertArrayEquals(before, Files.readAllBytes(path));
        try (var files = Files.list(folder)) {
            assertEquals(List.of(path), files.toList());
        }
    }

    /** Flipped and missing bytes give a whole file or one clear error, never more memory than the file has. */
    @Test
    void damagedFilesGiveOneKindOfError() throws IOException {
        Path path = folder.resolve("fuzz.safetensors");
        Safetensors.write(
                path,
                Map.of("format", "pt"),
                List.of(floats("a", new long[] {2, 2}, 1, 2, 3, 4), floats("b.c", new long[] {3}, 1, 2, 3)));
        byte[] whole = Files.readAllBytes(path);
        var random = new Random(2);
        byte[] alphabet = "0123456789{}[]\",:-\\ eE.".getBytes(UTF_8);
        for (int i = 0; i < 5000; i++) {
            byte[] damaged = Arrays.copyOf(whole, i % 5 == 0 ? random.nextInt(whole.length) : whole.length);
            for (int j = random.nextInt(4); j > 0 && damaged.length > 0; j--) {
                damaged[random.nextInt(damaged.length)] =
                        random.nextBoolean() ? (byte) random.nextInt(256) : alphabet[random.nextInt(alphabet.length)];
            }
            Files.write(path, damaged);
            try (Arena arena = Arena.ofConfined()) {
                Safetensors.read(path, arena);
            } catch (KingfisherException e) {
                assertTrue(e.getMessage().startsWith(path + ": "), e.getMessage());
            }
        }
    }

    @Test
    void allDtypesOfTheFormatAreReadAsBytes() throws IOException {
        for (String dtype : List.of("F16", "BF16", "I16", "U16")) {
            Path path = Files.write(
                    folder.resolve(dtype),
                    bytes(
                            "{\"x\":{\"dtype\":\"" + dtype + "\",\"shape\":[1],\"data_offsets\":[0,2]}}   ",
                            (byte) 1,
                            (byte) 2));
            try (Arena arena = Arena.ofConfined()) {
                SafeTensor x = Safetensors.read(path, arena).find("x").orElseThrow();
                assertEquals(0x0201, x.data().get(ValueLayout.JAVA_SHORT, 0));
            }
        }
    }
}
