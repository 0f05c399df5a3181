package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * The images in a zip. Nothing is ever unpacked to disk; names that would lead outside a folder, entries that are larger
 * than they say and entries whose checksum is false are refused all the same.
 */
final class ZipImages implements ImageSource {
    private final Path file;
    private final ZipFile zip;
    private final List<String> names;

    ZipImages(Path file) {
        this.file = file;
        try {
            this.zip = new ZipFile(file.toFile());
        } catch (IOException | RuntimeException e) {
            throw new KingfisherException("%s: the zip is damaged or not a zip: %s".formatted(file, e.getMessage()), e);
        }
        try {
            this.names = list();
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private List<String> list() {
        var found = new ArrayList<String>();
        Set<String> seen = new HashSet<>();
        var entries = zip.entries();
        while (entries.hasMoreElements()) {
            ZipEntry entry = next(entries);
            String name = entry.getName();
            if (escapes(name)) {
                throw new KingfisherException(
                        "%s: the entry '%s' leads outside the folder that the zip is unpacked in; no data set has such entries"
                                .formatted(file, name));
            }
            if (!seen.add(name)) {
                throw new KingfisherException("%s: the entry '%s' is there twice".formatted(file, name));
            }
            if (entry.isDirectory() || !ImageSource.isImage(name)) {
                continue;
            }
            if (entry.getSize() > MOST_BYTES) {
                throw new KingfisherException("%s: the image has %d bytes, more than the %d that are accepted"
                        .formatted(where(name), entry.getSize(), MOST_BYTES));
            }
            found.add(name);
        }
        found.sort(null);
        return List.copyOf(found);
    }

    private ZipEntry next(java.util.Enumeration<? extends ZipEntry> entries) {
        try {
            return entries.nextElement();
        } catch (RuntimeException e) {
            throw new KingfisherException("%s: the zip's directory is damaged: %s".formatted(file, e.getMessage()), e);
        }
    }

    private static boolean escapes(String name) {
        return name.startsWith("/")
                || name.indexOf('\\') >= 0
                || name.indexOf('\0') >= 0
                || name.matches("[A-Za-z]:.*")
                || List.of(name.split("/", -1)).contains("..");
    }

    @Override
    public List<String> names() {
        return names;
    }

    @Override
    public byte[] read(String name) {
        ZipEntry entry = zip.getEntry(name);
        try (InputStream in = zip.getInputStream(entry)) {
            int promised = (int) entry.getSize();
            byte[] bytes = in.readNBytes(promised + 1);
            if (bytes.length != promised) {
                throw new KingfisherException("%s: the entry has %s bytes than the %d that the zip's directory says"
                        .formatted(where(name), bytes.length < promised ? "fewer" : "more", promised));
            }
            var crc = new CRC32();
            crc.update(bytes);
            if (crc.getValue() != entry.getCrc()) {
                throw new KingfisherException("%s: the entry is damaged: its checksum is %08x, not %08x"
                        .formatted(where(name), crc.getValue(), entry.getCrc()));
            }
            return bytes;
        } catch (KingfisherException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            throw new KingfisherException("%s: the entry is damaged: %s".formatted(where(name), e.getMessage()), e);
        }
    }

    @Override
    public String where(String name) {
        return file + "!/" + name;
    }

    @Override
    public void close() {
        try {
            zip.close();
        } catch (IOException e) {
            // It was only read from: nothing is lost.
        }
    }
}
