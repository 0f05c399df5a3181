package io.kingfisher.train.data;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.ImageIO;

/** Image files and zips for tests. */
final class Pictures {
    private Pictures() {}

    static int value(int seed, int c, int y, int x) {
        return (seed * 37 + c * 80 + y * 11 + x * 5) & 0xFF;
    }

    static BufferedImage picture(int seed, int height, int width, int type) {
        var image = new BufferedImage(width, height, type);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                for (int c = 0; c < image.getRaster().getNumBands(); c++) {
                    image.getRaster().setSample(x, y, c, c == 3 ? 255 : value(seed, c, y, x));
                }
            }
        }
        return image;
    }

    static byte[] encode(BufferedImage image, String format) {
        var out = new ByteArrayOutputStream();
        try {
            if (!ImageIO.write(image, format, out)) {
                throw new IllegalStateException("no writer for " + format);
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return out.toByteArray();
    }

    static byte[] png(int seed, int height, int width) {
        return encode(picture(seed, height, width, BufferedImage.TYPE_3BYTE_BGR), "png");
    }

    /** Files by name: {@code count} colour pictures of 6x5 in each of the classes. */
    static Map<String, byte[]> tree(String prefix, int count, String... classes) {
        var files = new TreeMap<String, byte[]>();
        int seed = prefix.length();
        for (String name : classes) {
            for (int i = 0; i < count; i++) {
                files.put("%s%s/%03d.png".formatted(prefix, name, i), png(seed++, 6, 5));
            }
        }
        return files;
    }

    static Path writeZip(Path file, Map<String, byte[]> files) throws IOException {
        try (var zip = new ZipOutputStream(Files.newOutputStream(file))) {
            for (var entry : files.entrySet()) {
                zip.putNextEntry(new ZipEntry(entry.getKey()));
                zip.write(entry.getValue());
                zip.closeEntry();
            }
        }
        return file;
    }

    static Path writeFolder(Path folder, Map<String, byte[]> files) throws IOException {
        for (var entry : files.entrySet()) {
            Path file = folder.resolve(entry.getKey());
            Files.createDirectories(file.getParent());
            Files.write(file, entry.getValue());
        }
        return folder;
    }
}
