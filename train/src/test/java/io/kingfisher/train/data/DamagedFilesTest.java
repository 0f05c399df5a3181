package io.kingfisher.train.data;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.kingfisher.runtime.KingfisherException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Random damage to every kind of file: whatever happens, the answer is a data set or a KingfisherException. */
class DamagedFilesTest {
    @TempDir
    Path folder;

    private static byte[] damage(byte[] good, Philox random) {
        byte[] bytes = good.clone();
        switch (random.nextInt(4)) {
            case 0 -> {
                return Arrays.copyOf(bytes, random.nextInt(bytes.length));
            }
            case 1 -> bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            case 2 -> {
                for (int i = 0; i <= random.nextInt(8); i++) {
                    bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
                }
            }
            default -> {
                // The ends of a file hold its headers and directories: a run of bytes there.
                int length = Math.min(bytes.length, 1 + random.nextInt(6));
                int start = random.nextInt(Math.min(bytes.length - length + 1, 64));
                start = random.nextInt() < 0 ? start : bytes.length - length - start;
                Arrays.fill(bytes, Math.max(0, start), Math.max(0, start) + length, (byte) random.nextInt());
            }
        }
        return bytes;
    }

    /** Damages a file many times, opens the data set and reads all of it. */
    private static void damageOften(String what, Path file, DataSpec spec, int times) throws IOException {
        byte[] good = Files.readAllBytes(file);
        int refused = 0;
        for (int i = 0; i < times; i++) {
            byte[] bad = damage(good, new Philox(2026).at(i, what.hashCode(), 0));
            Files.write(file, bad);
            try (DataSplits splits = Datasets.open(spec)) {
                readAll(splits.train());
                readAll(splits.test());
            } catch (KingfisherException e) {
                refused++;
                assertFalse(e.getMessage().isBlank());
            } catch (RuntimeException | Error e) {
                Path kept = Files.write(Files.createTempFile("damaged-" + what, ".bin"), bad);
                fail("%s, damage %d, kept as %s: %s".formatted(what, i, kept, e), e);
            }
        }
        Files.write(file, good);
        Datasets.open(spec).close();
        assertTrue(refused > 0, "nothing was refused");
    }

    private static void readAll(Dataset dataset) {
        try (var loader = new DataLoader(dataset, LoaderOptions.evaluation(4).withWorkers(0))) {
            for (int i = 0; i < loader.batchesPerEpoch(); i++) {
                loader.next();
            }
        }
    }

    @Test
    void idx() throws IOException {
        for (boolean gzipped : new boolean[] {false, true}) {
            Path place = Files.createDirectories(folder.resolve("idx" + gzipped));
            var images = new byte[7 * 20];
            for (int i = 0; i < images.length; i++) {
                images[i] = (byte) (i * 3);
            }
            for (String prefix : new String[] {"train", "t10k"}) {
                byte[] imageFile = IdxTest.idx(new int[] {7, 4, 5}, images);
                byte[] labelFile = IdxTest.idx(new int[] {7}, new byte[] {0, 1, 2, 3, 9, 8, 7});
                String end = gzipped ? ".gz" : "";
                Files.write(
                        place.resolve(prefix + "-images-idx3-ubyte" + end),
                        gzipped ? IdxTest.gzip(imageFile) : imageFile);
                Files.write(
                        place.resolve(prefix + "-labels-idx1-ubyte" + end),
                        gzipped ? IdxTest.gzip(labelFile) : labelFile);
            }
            var spec = DataSpec.of("mnist").withPath(place).withMemoryLimit(1 << 24);
            String end = gzipped ? ".gz" : "";
            damageOften("idx-images" + end, place.resolve("train-images-idx3-ubyte" + end), spec, 400);
            damageOften("idx-labels" + end, place.resolve("t10k-labels-idx1-ubyte" + end), spec, 300);
        }
    }

    @Test
    void cifar() throws IOException {
        for (int i = 1; i <= 5; i++) {
            Files.write(folder.resolve("data_batch_" + i + ".bin"), CifarTest.records(2, 1, 10, i));
        }
        Files.write(folder.resolve("test_batch.bin"), CifarTest.records(2, 1, 10, 0));
        var spec = DataSpec.of("cifar10").withPath(folder).withMemoryLimit(1 << 24);
        damageOften("cifar", folder.resolve("data_batch_3.bin"), spec, 200);
    }

    private static TreeMap<String, byte[]> pictures(String format) {
        var files = new TreeMap<String, byte[]>();
        for (String name : new String[] {"train/a/1", "train/a/2", "train/b/1", "test/a/1", "test/b/1"}) {
            var image = Pictures.picture(name.hashCode(), 16, 16, BufferedImage.TYPE_3BYTE_BGR);
            files.put(name + "." + format, Pictures.encode(image, format));
        }
        return files;
    }

    @Test
    void zips() throws IOException {
        Path zip = Pictures.writeZip(folder.resolve("all.zip"), pictures("jpg"));
        var spec = DataSpec.of("images").withPath(zip).withMemoryLimit(1 << 24);
        damageOften("zip", zip, spec, 400);
        damageOften("zip-streamed", zip, spec.withMemoryLimit(0), 200);
    }

    @Test
    void images() throws IOException {
        for (String format : new String[] {"jpg", "png"}) {
            Path place = Pictures.writeFolder(folder.resolve(format), pictures(format));
            // Scaled, because a damaged header may say another size.
            var spec = DataSpec.of("images")
                    .withPath(place)
                    .withMemoryLimit(1 << 24)
                    .withImageSize(16);
            damageOften(format, place.resolve("train/a/1." + format), spec, 300);
        }
    }

    @Test
    void text() throws IOException {
        Path file = Files.writeString(
                folder.resolve("t.txt"), "Zwölf Boxkämpfer jagen Viktor\nquer über den Sylter Deich\n");
        for (var tokens : TextOptions.Tokens.values()) {
            var spec = DataSpec.of("text")
                    .withPath(file)
                    .withText(TextOptions.DEFAULT
                            .withTokens(tokens)
                            .withContext(4)
                            .withValidationFraction(.3));
            damageOften("text-" + tokens, file, spec, tokens == TextOptions.Tokens.GPT2 ? 5 : 200);
        }
    }
}
