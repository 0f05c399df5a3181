package io.kingfisher.train.report;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Event files are decoded by plain Python: framing, checksums (bit by bit) and protocol buffers, by the formats' texts. */
class TensorBoardLogTest {
    private static final String DECODER = """
            import struct, sys

            def crc(data):
                c = 0xffffffff
                for b in data:
                    c ^= b
                    for _ in range(8):
                        c = (c >> 1) ^ (0x82f63b78 if c & 1 else 0)
                c ^= 0xffffffff
                return (((c >> 15) | (c << 17)) + 0xa282ead8) & 0xffffffff

            def varint(data, at):
                value = shift = 0
                while True:
                    value |= (data[at] & 127) << shift
                    shift += 7
                    at += 1
                    if data[at - 1] < 128:
                        return value, at

            def fields(data):
                at = 0
                while at < len(data):
                    key, at = varint(data, at)
                    kind = key & 7
                    if kind == 0:
                        value, at = varint(data, at)
                    elif kind == 1:
                        value, at = struct.unpack('<d', data[at:at + 8])[0], at + 8
                    elif kind == 5:
                        value, at = struct.unpack('<f', data[at:at + 4])[0], at + 4
                    else:
                        n, at = varint(data, at)
                        value, at = data[at:at + n], at + n
                    yield key >> 3, value

            for path in sys.argv[1:]:
                raw = open(path, 'rb').read()
                at = 0
                while at < len(raw):
                    n, check = struct.unpack('<QI', raw[at:at + 12])
                    assert check == crc(raw[at:at + 8])
                    event = raw[at + 12:at + 12 + n]
                    assert struct.unpack('<I', raw[at + 12 + n:at + 16 + n])[0] == crc(event)
                    at += 16 + n
                    e = dict(fields(event))
                    assert 1.6e9 < e[1] < 1e10
                    if 3 in e:
                        print(e[3].decode())
                    else:
                        v = dict(fields(dict(fields(e[5]))[1]))
                        print(v[1].decode(), e.get(2, 0), v[2])
            """;

    @TempDir
    private Path folder;

    @BeforeAll
    static void needsPython() throws InterruptedException {
        boolean found;
        try {
            found = new ProcessBuilder("python3", "-c", "").start().waitFor() == 0;
        } catch (IOException e) {
            found = false;
        }
        assumeTrue(found, "python3 is not on the PATH");
    }

    private List<String> decode() throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of("python3", "-c", DECODER));
        try (var files = Files.list(folder)) {
            files.map(Path::toString).sorted().forEach(command::add);
        }
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        List<String> lines = new String(process.getInputStream().readAllBytes(), UTF_8)
                .lines()
                .toList();
        assertEquals(0, process.waitFor());
        return lines;
    }

    private void write(long from, long... steps) {
        try (TensorBoardLog log = TensorBoardLog.open(folder, from)) {
            for (long step : steps) {
                log.scalar("loss/train", step, step / 2.0);
            }
        }
    }

    @Test
    void anIndependentDecoderReadsEveryValue() throws Exception {
        try (TensorBoardLog log = TensorBoardLog.open(folder, 0)) {
            log.scalar("loss/train", 0, 2.5);
            log.scalar("lr", 127, 0.25);
            log.scalar("lr", 128, Double.NaN);
            log.scalar("accuracy/" + "t\u00e9st".repeat(60), 5_000_000_000L, -1);
        }
        assertEquals(
                List.of(
                        "brain.Event:2",
                        "loss/train 0 2.5",
                        "lr 127 0.25",
                        "lr 128 nan",
                        "accuracy/" + "t\u00e9st".repeat(60) + " 5000000000 -1.0"),
                decode());
    }

    @Test
    void resumingRemovesLaterRecordsAndAddsAFile() throws Exception {
        write(0, 10, 200, 3000);
        write(200, 201);
        assertEquals(
                List.of(
                        "brain.Event:2",
                        "loss/train 10 5.0",
                        "loss/train 200 100.0",
                        "brain.Event:2",
                        "loss/train 201 100.5"),
                decode());
    }

    @Test
    void aTornOrDamagedEndIsRemoved() throws Exception {
        write(0, 10, 20);
        Path file;
        try (var files = Files.list(folder)) {
            file = files.findFirst().orElseThrow();
        }
        byte[] whole = Files.readAllBytes(file);
        int last = whole.length - recordLength(whole);
        for (int length = last; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            TensorBoardLog.open(folder, 100).close();
            assertEquals(last, Files.size(file));
        }
        byte[] damaged = whole.clone();
        damaged[last + 20] ^= 4;
        Files.write(file, damaged);
        TensorBoardLog.open(folder, 100).close();
        assertEquals(last, Files.size(file));
        assertTrue(decode().contains("loss/train 10 5.0"));
    }

    /** Both scalar records of that test have the same length. */
    private static int recordLength(byte[] file) {
        int version =
                16 + (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
        return (file.length - version) / 2;
    }
}
