package io.kingfisher.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.KingfisherException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CifarTest {
    @TempDir
    Path folder;

    static byte[] records(int count, int labelBytes, int classes, int seed) {
        int record = labelBytes + 3072;
        var bytes = new byte[count * record];
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < record; j++) {
                bytes[i * record + j] = (byte) ((i + seed) * 7 + j * 3);
            }
            bytes[i * record] = (byte) (labelBytes == 2 ? i % 20 : (i + seed) % classes);
            bytes[i * record + labelBytes - 1] = (byte) ((i + seed) % classes);
        }
        return bytes;
    }

    private void writeCifar10(Path place) throws IOException {
        Files.createDirectories(place);
        for (int i = 1; i <= 5; i++) {
            Files.write(place.resolve("data_batch_" + i + ".bin"), records(4, 1, 10, i));
        }
        Files.write(place.resolve("test_batch.bin"), records(3, 1, 10, 9));
    }

    private DataSplits open(String name) {
        return Datasets.open(DataSpec.of(name).withPath(folder));
    }

    private void refused(String name, String... expected) {
        String message =
                assertThrows(KingfisherException.class, () -> open(name)).getMessage();
        for (String part : expected) {
            assertTrue(message.contains(part), message + "\n  should say: " + part);
        }
    }

    @Test
    void readsTheBinaryVersions() throws IOException {
        writeCifar10(folder.resolve("cifar-10-batches-bin"));
        try (DataSplits splits = open("CIFAR10")) {
            var train = (ImageDataset) splits.train();
            assertEquals(20, train.size());
            assertEquals(3, splits.test().size());
            assertEquals(3, train.channels());
            assertEquals("truck", train.classNames().get(9));
            // Image 5 is the second of the second file.
            byte[] expected = records(4, 1, 10, 2);
            var pixels = new byte[3072];
            train.read(5, pixels, 0);
            assertArrayEquals(Arrays.copyOfRange(expected, 3074, 3073 + 3073), pixels);
            assertEquals(3, train.label(5));
        }
        Files.write(folder.resolve("train.bin"), records(6, 2, 100, 50));
        Files.write(folder.resolve("test.bin"), records(2, 2, 100, 98));
        try (DataSplits splits = open("cifar-100")) {
            assertEquals(100, splits.train().classes());
            assertEquals(55, ((ImageDataset) splits.train()).label(5));
            assertEquals(99, ((ImageDataset) splits.test()).label(1));
        }
    }

    @Test
    void refusesDamagedFiles() throws IOException {
        writeCifar10(folder);
        Path second = folder.resolve("data_batch_2.bin");
        Files.write(second, Arrays.copyOf(records(4, 1, 10, 2), 3073 * 2 + 100));
        refused("cifar10", "data_batch_2.bin, byte 6146", "3073");
        Files.write(second, new byte[0]);
        refused("cifar10", "data_batch_2.bin, byte 0");
        byte[] badLabel = records(4, 1, 10, 2);
        badLabel[2 * 3073] = 10;
        Files.write(second, badLabel);
        refused("cifar10", "data_batch_2.bin, byte 6146", "label 10 of image 2", "0..9");
        Files.delete(second);
        refused("cifar10", "data_batch_2.bin", folder.toString());
        writeCifar10(folder);
        var small = DataSpec.of("cifar10").withPath(folder).withMemoryLimit(20 * 3072 - 1);
        assertTrue(assertThrows(KingfisherException.class, () -> Datasets.open(small))
                .getMessage()
                .contains("memory limit"));
    }

    @Test
    void saysWhatItLookedForAndKnowsThePythonVersion() throws IOException {
        refused("cifar10", "data_batch_1.bin", "train/", folder.toString());
        Files.createDirectories(folder.resolve("cifar-10-batches-py"));
        refused("cifar10", "cifar-10-batches-py is the version for Python", "cifar-10-binary.tar.gz");
        Files.createFile(folder.resolve("cifar-100-binary.tar.gz"));
        refused("cifar100", "unpack cifar-100-binary.tar.gz");
    }

    @Test
    void takesImagesInsteadIfThereAreTenClasses() throws IOException {
        var files = Pictures.tree("train/", 2, "a", "b", "c", "d", "e", "f", "g", "h", "i", "j");
        files.putAll(Pictures.tree("test/", 1, "b", "j"));
        Pictures.writeZip(folder.resolve("cifar10-images.zip"), files);
        try (DataSplits splits = open("cifar10")) {
            assertEquals(20, splits.train().size());
            assertEquals(9, ((ImageDataset) splits.test()).label(1));
            assertEquals(.4914f, ((ImageDataset) splits.test()).mean()[0]);
        }
        Files.delete(folder.resolve("cifar10-images.zip"));
        files.keySet().removeIf(name -> name.contains("/j/"));
        Pictures.writeFolder(folder, files);
        refused("cifar10", "9 class folders", "10 classes");
    }

    @Test
    void readsTheRealImages() {
        Path real = TestData.require("cifar10-images.zip");
        try (DataSplits splits = Datasets.open(DataSpec.of("cifar10").withPath(real))) {
            var train = (ImageDataset) splits.train();
            assertEquals(50_000, train.size());
            assertEquals(10_000, splits.test().size());
            assertEquals("airplane", train.classNames().getFirst());
            assertEquals("truck", train.classNames().getLast());
            assertEquals(32, train.height());
            var sums = new double[3];
            var squares = new double[3];
            var counts = new int[10];
            var pixels = new byte[3072];
            for (int i = 0; i < train.size(); i++) {
                train.read(i, pixels, 0);
                for (int p = 0; p < 3072; p++) {
                    double value = (pixels[p] & 0xFF) / 255.0;
                    sums[p / 1024] += value;
                    squares[p / 1024] += value * value;
                }
                counts[train.label(i)]++;
            }
            for (int count : counts) {
                assertEquals(5000, count);
            }
            // JPEG moves the published statistics a little.
            for (int c = 0; c < 3; c++) {
                double mean = sums[c] / (50_000.0 * 1024);
                assertEquals(train.mean()[c], mean, 2e-3);
                assertEquals(train.std()[c], Math.sqrt(squares[c] / (50_000.0 * 1024) - mean * mean), 4e-3);
            }
        }
    }
}
