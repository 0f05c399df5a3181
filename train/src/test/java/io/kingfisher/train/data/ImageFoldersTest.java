package io.kingfisher.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.KingfisherException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageFoldersTest {
    @TempDir
    Path folder;

    private static Map<String, byte[]> good() {
        var files = Pictures.tree("train/", 3, "cat", "dog");
        files.putAll(Pictures.tree("test/", 2, "dog", "cat"));
        return files;
    }

    private static DataSplits open(Path path) {
        return Datasets.open(DataSpec.of("images").withPath(path));
    }

    private static void refused(Path path, String... expected) {
        refused(DataSpec.of("images").withPath(path), expected);
    }

    private static void refused(DataSpec spec, String... expected) {
        String message = assertThrows(KingfisherException.class, () -> Datasets.open(spec))
                .getMessage();
        for (String part : expected) {
            assertTrue(message.contains(part), message + "\n  should say: " + part);
        }
    }

    private static byte[] pixels(ImageDataset images, int index) {
        var pixels = new byte[images.pixelCount()];
        images.read(index, pixels, 0);
        return pixels;
    }

    private static byte[] expected(int seed) {
        var pixels = new byte[90];
        for (int i = 0; i < 90; i++) {
            pixels[i] = (byte) Pictures.value(seed, i / 30, i % 30 / 5, i % 5);
        }
        return pixels;
    }

    @Test
    void readsFoldersAndZipsHeldOrStreamed() throws IOException {
        Path plain = Pictures.writeFolder(folder.resolve("plain"), good());
        Path zip = Pictures.writeZip(folder.resolve("all.zip"), good());
        var wrapped = new TreeMap<String, byte[]>();
        good().forEach((name, bytes) -> wrapped.put("pets/v1/" + name, bytes));
        wrapped.put("pets/v1/README.md", "hello".getBytes(StandardCharsets.UTF_8));
        wrapped.put("__MACOSX/pets/v1/train/cat/._000.png", new byte[3]);
        Path wrappedZip = Pictures.writeZip(folder.resolve("wrapped.zip"), wrapped);
        for (Path path : List.of(plain, zip, wrappedZip)) {
            for (long limit : new long[] {1 << 20, 0}) {
                try (DataSplits splits =
                        Datasets.open(DataSpec.of("images").withPath(path).withMemoryLimit(limit))) {
                    var train = (ImageDataset) splits.train();
                    assertEquals(limit == 0, train instanceof StreamedImages);
                    assertEquals(List.of("cat", "dog"), train.classNames());
                    assertEquals(6, train.size());
                    assertEquals(4, splits.test().size());
                    for (int i = 0; i < 6; i++) {
                        assertArrayEquals(expected(6 + i), pixels(train, i), path + " " + i);
                        assertEquals(i / 3, train.label(i));
                    }
                    // The pictures of test/dog were made before those of test/cat.
                    assertArrayEquals(expected(7), pixels((ImageDataset) splits.test(), 0));
                    assertEquals(0, ((ImageDataset) splits.test()).label(0));
                    assertEquals(List.of(), splits.notes());
                }
            }
        }
    }

    @Test
    void measuresMeanAndDeviationOverTheTrainingImages() throws IOException {
        try (DataSplits splits = open(Pictures.writeFolder(folder, good()))) {
            var train = (ImageDataset) splits.train();
            for (int c = 0; c < 3; c++) {
                double sum = 0;
                double squares = 0;
                for (int i = 0; i < 6; i++) {
                    byte[] pixels = pixels(train, i);
                    for (int p = c * 30; p < c * 30 + 30; p++) {
                        double value = (pixels[p] & 0xFF) / 255.0;
                        sum += value / 180;
                        squares += value * value / 180;
                    }
                }
                assertEquals(sum, train.mean()[c], 1e-6);
                assertEquals(Math.sqrt(squares - sum * sum), train.std()[c], 1e-6);
                assertEquals(train.std()[c], ((ImageDataset) splits.test()).std()[c]);
            }
        }
    }

    @Test
    void keepsEveryTenthImageWhereThereIsNoTestFolder() throws IOException {
        Path single = Pictures.writeFolder(folder.resolve("single"), Pictures.tree("", 21, "a", "b"));
        Path onlyTrain = Pictures.writeFolder(folder.resolve("only"), Pictures.tree("train/", 21, "a", "b"));
        for (Path path : List.of(single, onlyTrain)) {
            try (DataSplits splits = open(path)) {
                assertEquals(38, splits.train().size());
                assertEquals(4, splits.test().size());
                assertEquals(1, splits.notes().size());
                assertTrue(splits.notes().getFirst().contains("every tenth"));
                assertEquals(1, ((ImageDataset) splits.test()).label(2));
            }
        }
        refused(
                Pictures.writeFolder(folder.resolve("few"), Pictures.tree("", 9, "a", "b")),
                "10 images",
                "test/<class>/");
    }

    @Test
    void usesAValidationFolderAndSaysSo() throws IOException {
        var files = Pictures.tree("train/", 2, "a", "b");
        files.putAll(Pictures.tree("val/", 1, "a", "b"));
        try (DataSplits splits = open(Pictures.writeFolder(folder, files))) {
            assertEquals(2, splits.test().size());
            assertTrue(splits.notes().getFirst().contains("'val'"));
        }
    }

    @Test
    void refusesLayoutsThatSayNothing() throws IOException {
        refused(Files.createDirectories(folder.resolve("empty")), "0 JPEG or PNG images", "train/<class>/");
        refused(Pictures.writeFolder(folder.resolve("flat"), Map.of("1.png", Pictures.png(1, 6, 5))), "1 JPEG or PNG");
        refused(Pictures.writeFolder(folder.resolve("one"), Pictures.tree("train/", 20, "a")), "only one class");
        var strange = Pictures.tree("train/", 2, "a", "b");
        strange.putAll(Pictures.tree("test/", 2, "a", "c"));
        refused(Pictures.writeFolder(folder.resolve("strange"), strange), "'c'", "not in train");
    }

    @Test
    void decodesEveryKindOfImage() {
        var decoder = new ImageDecoder();
        int[] colour = {BufferedImage.TYPE_3BYTE_BGR, BufferedImage.TYPE_INT_RGB, BufferedImage.TYPE_4BYTE_ABGR};
        for (int type : colour) {
            var image = decoder.decode(Pictures.encode(Pictures.picture(3, 6, 5, type), "png"), "here");
            assertEquals(3, image.channels());
            assertArrayEquals(expected(3), image.pixels());
        }
        var grey =
                decoder.decode(Pictures.encode(Pictures.picture(3, 6, 5, BufferedImage.TYPE_BYTE_GRAY), "png"), "here");
        assertEquals(1, grey.channels());
        assertArrayEquals(Arrays.copyOf(expected(3), 30), grey.pixels());

        var sixteen = new BufferedImage(5, 6, BufferedImage.TYPE_USHORT_GRAY);
        for (int i = 0; i < 30; i++) {
            sixteen.getRaster().setSample(i % 5, i / 5, 0, ((i * 8) << 8) + 77);
        }
        var cut = decoder.decode(Pictures.encode(sixteen, "png"), "here");
        assertEquals(29 * 8, cut.pixels()[29] & 0xFF);

        var palette = new BufferedImage(5, 6, BufferedImage.TYPE_BYTE_INDEXED);
        palette.setRGB(2, 3, 0xFFFF0000);
        var red = decoder.decode(Pictures.encode(palette, "png"), "here");
        assertEquals(3, red.channels());
        assertEquals(255, red.pixels()[3 * 5 + 2] & 0xFF);
        assertEquals(0, red.pixels()[30 + 3 * 5 + 2]);
    }

    @Test
    void decodesJpegAsTheJdkDoes() throws IOException {
        var smooth = new BufferedImage(33, 17, BufferedImage.TYPE_3BYTE_BGR);
        for (int i = 0; i < 33 * 17; i++) {
            smooth.setRGB(i % 33, i / 33, (i % 33 * 7) << 16 | (i / 33 * 14) << 8 | 90);
        }
        byte[] encoded = Pictures.encode(smooth, "jpg");
        var image = new ImageDecoder().decode(encoded, "here");
        BufferedImage reference = javax.imageio.ImageIO.read(new java.io.ByteArrayInputStream(encoded));
        for (int y = 0; y < 17; y++) {
            for (int x = 0; x < 33; x++) {
                for (int c = 0; c < 3; c++) {
                    assertEquals(
                            reference.getRGB(x, y) >> (16 - 8 * c) & 0xFF,
                            image.pixels()[(c * 17 + y) * 33 + x] & 0xFF);
                }
            }
        }
    }

    @Test
    void refusesImagesThatDoNotDecode() throws IOException {
        var decoder = new ImageDecoder();
        byte[] png = Pictures.png(1, 40, 40);
        byte[] jpeg = Pictures.encode(Pictures.picture(1, 40, 40, BufferedImage.TYPE_3BYTE_BGR), "jpg");
        for (byte[] bytes : List.of(
                new byte[0],
                new byte[] {(byte) 0xFF},
                "GIF89a".getBytes(StandardCharsets.US_ASCII),
                Arrays.copyOf(png, 60),
                Arrays.copyOf(png, png.length / 2),
                Arrays.copyOf(jpeg, 100),
                Arrays.copyOf(jpeg, jpeg.length - 200),
                Arrays.copyOf(jpeg, 3))) {
            String message = assertThrows(KingfisherException.class, () -> decoder.decode(bytes, "pets.zip!/a.jpg"))
                    .getMessage();
            assertTrue(message.startsWith("pets.zip!/a.jpg"), message);
        }
        // A decoder is good for another image after an error.
        assertEquals(40, decoder.decode(png, "here").width());
        assertEquals(40, decoder.decode(jpeg, "here").width());

        var files = good();
        files.put("train/cat/001.png", Arrays.copyOf(files.get("train/cat/001.png"), 50));
        refused(Pictures.writeFolder(folder, files), "train/cat/001.png");
    }

    @Test
    void checksSizesBeforeDecoding() {
        byte[] png = Pictures.png(1, 6, 5);
        // The header of a PNG holds the width at byte 16 and a checksum at 29; 40000 x 40000 would need gigabytes.
        var header = java.nio.ByteBuffer.wrap(png);
        header.putInt(16, 40_000).putInt(20, 40_000);
        var crc = new java.util.zip.CRC32();
        crc.update(png, 12, 17);
        header.putInt(29, (int) crc.getValue());
        String message = assertThrows(KingfisherException.class, () -> new ImageDecoder().decode(png, "bomb.png"))
                .getMessage();
        assertTrue(message.contains("40000 x 40000"), message);
    }

    @Test
    void scalesAndCropsWhereAsked() throws IOException {
        var files = good();
        files.put("train/cat/001.png", Pictures.png(50, 9, 31));
        Path path = Pictures.writeFolder(folder, files);
        refused(path, "001.png", "31 x 9", "5 x 6", "image size");
        try (DataSplits splits =
                Datasets.open(DataSpec.of("images").withPath(path).withImageSize(4))) {
            var train = (ImageDataset) splits.train();
            assertEquals(4, train.height());
            assertEquals(4, train.width());
            assertEquals(48, pixels(train, 1).length);
        }
    }

    @Test
    void scalingKeepsConstantsAndRampsAndIsExactAtTheSameSize() {
        var ramp = new byte[20 * 12];
        for (int i = 0; i < ramp.length; i++) {
            ramp[i] = (byte) (10 * (i % 20));
        }
        var image = new ImageDecoder.Decoded(1, 12, 20, ramp);
        var same = ImageScaler.square(image, 12);
        var half = ImageScaler.square(image, 6);
        var twice = ImageScaler.square(image, 24);
        for (int y = 0; y < 6; y++) {
            for (int x = 1; x < 5; x++) {
                // Target x covers source columns 2 (x + 2) and 2 (x + 2) + 1 of the 20.
                assertEquals(10 * (2 * (x + 2) + .5), half.pixels()[y * 6 + x] & 0xFF, 1);
            }
        }
        for (int i = 0; i < 144; i++) {
            assertEquals(10 * (i % 12 + 4), same.pixels()[i] & 0xFF);
            int x = i % 24;
            assertEquals(10 * ((x + 8 + .5) / 2 - .5), twice.pixels()[i] & 0xFF, 1);
        }
    }

    @Test
    void greyImagesAreExpandedAmongColouredOnesButNotTheReverse() throws IOException {
        byte[] grey = Pictures.encode(Pictures.picture(2, 6, 5, BufferedImage.TYPE_BYTE_GRAY), "png");
        var files = good();
        files.put("train/cat/000.png", grey);
        try (DataSplits splits = open(Pictures.writeFolder(folder.resolve("some"), files))) {
            var train = (ImageDataset) splits.train();
            assertEquals(3, train.channels());
            byte[] pixels = pixels(train, 0);
            assertArrayEquals(Arrays.copyOf(pixels, 30), Arrays.copyOfRange(pixels, 60, 90));
        }
        files.replaceAll((name, bytes) -> grey);
        try (DataSplits splits = open(Pictures.writeFolder(folder.resolve("all"), files))) {
            assertEquals(1, ((ImageDataset) splits.train()).channels());
        }
        files.put("test/cat/000.png", Pictures.png(1, 6, 5));
        refused(Pictures.writeFolder(folder.resolve("late"), files), "has colours");
    }

    @Test
    void reportsTheFirstOfManyDamagedImages() throws IOException {
        var files = Pictures.tree("train/", 300, "a", "b");
        files.putAll(Pictures.tree("test/", 1, "a", "b"));
        for (int i = 251; i < 300; i += 2) {
            files.put("train/b/%03d.png".formatted(i), new byte[] {1, 2, 3});
        }
        // Probing reads evenly spaced images first and may meet another damaged one.
        Path path = Pictures.writeFolder(folder, files);
        refused(path, "train/b/2");
    }

    @Test
    void streamedImagesFailWhenTheyAreRead() throws IOException {
        var files = Pictures.tree("train/", 400, "a", "b");
        files.putAll(Pictures.tree("test/", 1, "a", "b"));
        files.put("train/b/002.png", Arrays.copyOf(files.get("train/b/002.png"), 60));
        var spec = DataSpec.of("images")
                .withPath(Pictures.writeZip(folder.resolve("all.zip"), files))
                .withMemoryLimit(1000);
        try (DataSplits splits = Datasets.open(spec)) {
            assertInstanceOf(StreamedImages.class, splits.train());
            try (var loader = new DataLoader(splits.train(), LoaderOptions.evaluation(100))) {
                assertEquals(100, loader.next().size());
                var error = assertThrows(KingfisherException.class, () -> {
                    for (int i = 0; i < 8; i++) {
                        loader.next();
                    }
                });
                assertTrue(error.getMessage().contains("all.zip!/train/b/002.png"), error.getMessage());
            }
        }
    }
}
