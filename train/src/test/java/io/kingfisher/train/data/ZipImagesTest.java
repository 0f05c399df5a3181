package io.kingfisher.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.KingfisherException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Zips that lie. */
class ZipImagesTest {
    @TempDir
    Path folder;

    private void refused(Path zip, String... expected) {
        String message = assertThrows(KingfisherException.class, () -> {
                    try (var images = new ZipImages(zip)) {
                        images.names().forEach(images::read);
                    }
                })
                .getMessage();
        for (String part : expected) {
            assertTrue(message.contains(part), message + "\n  should say: " + part);
        }
    }

    /** One stored entry, so that its bytes can be found and changed. */
    private Path stored(String name, byte[] bytes) throws IOException {
        Path file = folder.resolve("stored.zip");
        try (var zip = new ZipOutputStream(Files.newOutputStream(file))) {
            var entry = new ZipEntry(name);
            var crc = new CRC32();
            crc.update(bytes);
            entry.setMethod(ZipEntry.STORED);
            entry.setSize(bytes.length);
            entry.setCrc(crc.getValue());
            zip.putNextEntry(entry);
            zip.write(bytes);
            zip.closeEntry();
        }
        return file;
    }

    private static int centralDirectory(byte[] zip) {
        var buffer = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = zip.length - 4; i >= 0; i--) {
            if (buffer.getInt(i) == 0x02014b50) {
                return i;
            }
        }
        throw new IllegalStateException("no central directory");
    }

    @Test
    void readsWhatWasWritten() throws IOException {
        var files = new TreeMap<String, byte[]>();
        files.put("b/2.jpeg", new byte[] {1, 2, 3});
        files.put("a/1.PNG", new byte[] {4});
        files.put("readme.txt", new byte[] {5});
        try (var images = new ZipImages(Pictures.writeZip(folder.resolve("good.zip"), files))) {
            assertEquals(java.util.List.of("a/1.PNG", "b/2.jpeg"), images.names());
            assertEquals(3, images.read("b/2.jpeg").length);
        }
    }

    @Test
    void refusesNamesThatLeadOutside() throws IOException {
        for (String name :
                new String[] {"../a.png", "train/../../a.png", "/etc/a.png", "C:/a.png", "train\\..\\a.png", "a/.."}) {
            refused(Pictures.writeZip(folder.resolve("bad.zip"), Map.of(name, new byte[] {1})), "leads outside", name);
        }
    }

    @Test
    void refusesFalseChecksums() throws IOException {
        Path file = stored("a/1.png", new byte[] {10, 20, 30, 40, 50});
        byte[] zip = Files.readAllBytes(file);
        for (int i = 0; i < zip.length - 4; i++) {
            if (zip[i] == 10 && zip[i + 1] == 20 && zip[i + 2] == 30) {
                zip[i + 2] ^= 4;
                break;
            }
        }
        Files.write(file, zip);
        refused(file, "stored.zip!/a/1.png", "checksum");
    }

    @Test
    void refusesEntriesThatAreNotAsLargeAsTheySay() throws IOException {
        var bytes = new byte[100_000];
        Path file = Pictures.writeZip(folder.resolve("deflated.zip"), Map.of("a/1.png", bytes));
        byte[] zip = Files.readAllBytes(file);
        var buffer = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
        int central = centralDirectory(zip);
        buffer.putInt(central + 24, 1000);
        Files.write(file, zip);
        refused(file, "a/1.png", "more bytes than the 1000");
        buffer.putInt(central + 24, 1_000_000);
        Files.write(file, zip);
        refused(file, "a/1.png");
        buffer.putInt(central + 24, 1 << 30);
        Files.write(file, zip);
        refused(file, "a/1.png", "1073741824 bytes, more than the");
    }

    @Test
    void refusesDamagedDirectories() throws IOException {
        Path file = stored("a/1.png", new byte[] {1, 2, 3});
        byte[] zip = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(zip, zip.length - 30));
        refused(file, "stored.zip", "damaged");
        Files.write(file, new byte[0]);
        refused(file, "stored.zip", "damaged or not a zip");
        Files.writeString(file, "this is not a zip at all");
        refused(file, "stored.zip");
        refused(folder.resolve("absent.zip"), "absent.zip");
    }
}
