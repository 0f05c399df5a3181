package io.kingfisher.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.KingfisherException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxTest {
    private static final String TRAIN_IMAGES = "train-images-idx3-ubyte";
    private static final String TRAIN_LABELS = "train-labels-idx1-ubyte";
    private static final String TEST_IMAGES = "t10k-images-idx3-ubyte";
    private static final String TEST_LABELS = "t10k-labels-idx1-ubyte";

    @TempDir
    Path folder;

    static byte[] idx(int[] dimensions, byte[] values) {
        var buffer = ByteBuffer.allocate(4 + 4 * dimensions.length + values.length);
        buffer.putInt(0x0800 | dimensions.length);
        for (int dimension : dimensions) {
            buffer.putInt(dimension);
        }
        return buffer.put(values).array();
    }

    static byte[] gzip(byte[] bytes) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        }
        return out.toByteArray();
    }

    private static byte[] counting(int count, int modulo) {
        var bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = (byte) (i % modulo);
        }
        return bytes;
    }

    /** A good data set of 5 training and 3 test images of 4x3. */
    private void writeGood(boolean gzipped) throws IOException {
        write(TRAIN_IMAGES, idx(new int[] {5, 4, 3}, counting(60, 251)), gzipped);
        write(TRAIN_LABELS, idx(new int[] {5}, counting(5, 10)), gzipped);
        write(TEST_IMAGES, idx(new int[] {3, 4, 3}, counting(36, 7)), gzipped);
        write(TEST_LABELS, idx(new int[] {3}, new byte[] {9, 0, 4}), gzipped);
    }

    private void write(String name, byte[] bytes, boolean gzipped) throws IOException {
        Files.write(folder.resolve(gzipped ? name + ".gz" : name), gzipped ? gzip(bytes) : bytes);
    }

    private DataSplits open() {
        return Datasets.open(DataSpec.of("MNIST").withPath(folder));
    }

    private String refused(String... expected) {
        String message = assertThrows(KingfisherException.class, this::open).getMessage();
        for (String part : expected) {
            assertTrue(message.contains(part), message + "\n  should say: " + part);
        }
        return message;
    }

    @Test
    void readsPlainAndCompressedFiles() throws IOException {
        for (boolean gzipped : new boolean[] {false, true}) {
            writeGood(gzipped);
            try (DataSplits splits = open()) {
                var train = (ImageDataset) splits.train();
                assertEquals(5, train.size());
                assertEquals(3, splits.test().size());
                assertEquals(4, train.height());
                assertEquals(3, train.width());
                var pixels = new byte[12];
                train.read(4, pixels, 0);
                assertArrayEquals(Arrays.copyOfRange(counting(60, 251), 48, 60), pixels);
                assertEquals(9, ((ImageDataset) splits.test()).label(0));
            }
            Files.deleteIfExists(folder.resolve(TRAIN_IMAGES));
        }
    }

    @Test
    void findsTheFoldersThatPeopleHave() throws IOException {
        writeGood(true);
        Path raw = Files.createDirectories(folder.resolve("MNIST/raw"));
        for (String name : new String[] {TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS}) {
            Files.move(folder.resolve(name + ".gz"), raw.resolve(name + ".gz"));
        }
        try (DataSplits splits = open()) {
            assertEquals(5, splits.train().size());
        }
    }

    @Test
    void saysWhatIsMissingAndWhereItLooked() throws IOException {
        writeGood(true);
        Files.delete(folder.resolve(TEST_LABELS + ".gz"));
        refused("test labels", TEST_LABELS + ".gz", folder.toString(), "MNIST/raw");
        var nowhere = DataSpec.of("mnist").withPath(folder.resolve("nowhere"));
        assertTrue(assertThrows(KingfisherException.class, () -> Datasets.open(nowhere))
                .getMessage()
                .contains("nowhere"));
        assertThrows(KingfisherException.class, () -> Datasets.open(DataSpec.of("mnist")));
        assertThrows(KingfisherException.class, () -> Datasets.open(DataSpec.of("mnits")));
    }

    @Test
    void refusesAWrongMagicNumber() throws IOException {
        writeGood(false);
        write(TRAIN_IMAGES, idx(new int[] {60}, counting(60, 10)), false);
        refused(TRAIN_IMAGES + ", byte 0", "0x00000801", "0x00000803");
        write(TRAIN_IMAGES, "PK not an idx file".getBytes(java.nio.charset.StandardCharsets.US_ASCII), false);
        refused(TRAIN_IMAGES + ", byte 0");
        write(TRAIN_IMAGES, new byte[0], false);
        refused(TRAIN_IMAGES + ", byte 0", "truncated");
    }

    @Test
    void refusesTruncatedFiles() throws IOException {
        for (boolean gzipped : new boolean[] {false, true}) {
            writeGood(gzipped);
            byte[] good = idx(new int[] {5, 4, 3}, counting(60, 251));
            for (int length : new int[] {2, 5}) {
                write(TRAIN_IMAGES, Arrays.copyOf(good, length), gzipped);
                refused(TRAIN_IMAGES, "truncated", "byte " + length);
            }
            for (int length : new int[] {15, 16, 40, 75}) {
                write(TRAIN_IMAGES, Arrays.copyOf(good, length), gzipped);
                refused(TRAIN_IMAGES, gzipped ? "truncated" : "byte ");
            }
            Files.deleteIfExists(folder.resolve(TRAIN_IMAGES));
        }
        byte[] compressed = gzip(idx(new int[] {5, 4, 3}, counting(60, 251)));
        Files.write(folder.resolve(TRAIN_IMAGES + ".gz"), Arrays.copyOf(compressed, compressed.length - 9));
        refused(TRAIN_IMAGES, "truncated");
    }

    @Test
    void refusesTooMuchData() throws IOException {
        writeGood(false);
        write(TRAIN_IMAGES, idx(new int[] {5, 4, 3}, counting(61, 251)), false);
        refused(TRAIN_IMAGES + ", byte 76", "goes on");
    }

    @Test
    void refusesAFalseChecksum() throws IOException {
        writeGood(true);
        byte[] compressed = gzip(idx(new int[] {5, 4, 3}, counting(60, 251)));
        compressed[compressed.length - 6] ^= 1;
        Files.write(folder.resolve(TRAIN_IMAGES + ".gz"), compressed);
        refused(TRAIN_IMAGES + ".gz", "byte 76 (uncompressed)", "trailer");
    }

    @Test
    void refusesFilesThatDoNotBelongTogether() throws IOException {
        writeGood(false);
        write(TRAIN_LABELS, idx(new int[] {4}, counting(4, 10)), false);
        refused("4 labels", "5 images", TRAIN_LABELS, TRAIN_IMAGES);
        writeGood(false);
        write(TEST_IMAGES, idx(new int[] {3, 3, 4}, counting(36, 10)), false);
        refused("4x3", "3x4");
    }

    @Test
    void refusesLabelsOutOfRange() throws IOException {
        writeGood(false);
        write(TEST_LABELS, idx(new int[] {3}, new byte[] {9, 10, 4}), false);
        refused(TEST_LABELS + ", byte 9", "label 10 of image 1", "0..9");
        write(TEST_LABELS, idx(new int[] {3}, new byte[] {9, (byte) 255, 4}), false);
        refused("label 255");
    }

    @Test
    void refusesHugeAndEmptyDimensionsBeforeAllocating() throws IOException {
        writeGood(true);
        int[][] bad = {
            {Integer.MAX_VALUE, 28, 28}, {5, Integer.MAX_VALUE, Integer.MAX_VALUE}, {-1, 28, 28}, {0, 28, 28}, {5, 0, 3}
        };
        for (int[] dimensions : bad) {
            write(TRAIN_IMAGES, idx(dimensions, counting(60, 251)), true);
            refused(TRAIN_IMAGES, "dimension");
        }
        write(TRAIN_IMAGES, idx(new int[] {5, 4, 3}, counting(60, 251)), true);
        var small = DataSpec.of("mnist").withPath(folder).withMemoryLimit(59);
        assertTrue(assertThrows(KingfisherException.class, () -> Datasets.open(small))
                .getMessage()
                .contains("limit of 59 bytes"));
    }

    @Test
    void readsTheRealMnist() {
        Path real = TestData.require("mnist");
        try (DataSplits splits = Datasets.open(DataSpec.of("mnist").withPath(real))) {
            var train = (ImageDataset) splits.train();
            assertEquals(60_000, train.size());
            assertEquals(10_000, splits.test().size());
            assertEquals(10, train.classes());
            var labels = new int[5];
            Arrays.setAll(labels, train::label);
            assertArrayEquals(new int[] {5, 0, 4, 1, 9}, labels);
            double sum = 0;
            double squares = 0;
            var pixels = new byte[784];
            for (int i = 0; i < train.size(); i++) {
                train.read(i, pixels, 0);
                for (byte pixel : pixels) {
                    double value = (pixel & 0xFF) / 255.0;
                    sum += value;
                    squares += value * value;
                }
            }
            double mean = sum / (60_000.0 * 784);
            assertEquals(0.1307, mean, 5e-5);
            assertEquals(0.3081, Math.sqrt(squares / (60_000.0 * 784) - mean * mean), 5e-5);
            assertEquals(0.1307f, train.mean()[0]);
            assertEquals(0.3081f, train.std()[0]);
        }
    }
}
