package io.kingfisher.nativebindings;

import java.io.IOException;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * The folder into which native libraries are unpacked, once for all programs of a user.
 *
 * <p>It is what the system property {@code kingfisher.cache} names, else the environment variable
 * {@code KINGFISHER_CACHE}, else {@code kingfisher} in {@code $XDG_CACHE_HOME}, else {@code ~/.cache/kingfisher}. Each set
 * of libraries has a folder of its own, named after what the jar says of their contents. A file is written under another
 * name and renamed, so that several processes may do so at once, and beside it lies its SHA-256. A file whose size or
 * time has changed since is hashed again, and one that is not what was unpacked is replaced.
 */
final class LibraryCache {
    private LibraryCache() {}

    static Path root() {
        return root(System.getProperty("kingfisher.cache"), System.getenv());
    }

    static Path root(String property, Map<String, String> environment) {
        if (property != null) {
            return Path.of(property).toAbsolutePath();
        }
        var variable = environment.get("KINGFISHER_CACHE");
        if (variable != null && !variable.isBlank()) {
            return Path.of(variable).toAbsolutePath();
        }
        // The XDG specification: a relative path is to be ignored.
        var xdg = environment.get("XDG_CACHE_HOME");
        if (xdg != null && Path.of(xdg).isAbsolute()) {
            return Path.of(xdg, "kingfisher");
        }
        return Path.of(System.getProperty("user.home"), ".cache", "kingfisher");
    }

    /**
     * Returns the folder that holds the given resources, having unpacked those that are missing or damaged.
     *
     * @param resources file names and where their contents are
     * @param notes is told of every damaged file that was replaced
     */
    static Path unpack(Map<String, URL> resources, List<String> notes) throws IOException {
        var identity = sha256();
        for (var resource : resources.entrySet()) {
            identity.update(
                    (resource.getKey() + " " + describe(resource.getValue()) + "\n").getBytes(StandardCharsets.UTF_8));
        }
        var folder = root().resolve(HexFormat.of().formatHex(identity.digest()));
        Files.createDirectories(folder);
        for (var resource : resources.entrySet()) {
            var file = folder.resolve(resource.getKey());
            if (!isIntact(file)) {
                if (Files.exists(file)) {
                    notes.add(file + ": it was not what had been unpacked, and has been unpacked anew");
                }
                write(resource.getValue(), file);
            }
        }
        return folder;
    }

    /** Size and checksum as the jar's directory says, so that the contents need not be read to know them. */
    private static String describe(URL resource) throws IOException {
        var connection = connect(resource);
        if (connection instanceof JarURLConnection jar) {
            try (var file = jar.getJarFile()) {
                var entry = file.getJarEntry(jar.getEntryName());
                return entry.getSize() + " " + Long.toHexString(entry.getCrc());
            }
        }
        try (var in = connection.getInputStream()) {
            return in.available() + " " + connection.getLastModified() + " " + resource;
        }
    }

    private static URLConnection connect(URL resource) throws IOException {
        var connection = resource.openConnection();
        connection.setUseCaches(false);
        return connection;
    }

    private static void write(URL resource, Path file) throws IOException {
        var temporary = Files.createTempFile(file.getParent(), "." + file.getFileName(), ".tmp");
        try {
            var digest = sha256();
            try (var in = new DigestInputStream(connect(resource).getInputStream(), digest)) {
                Files.copy(in, temporary, StandardCopyOption.REPLACE_EXISTING);
            }
            var hash = HexFormat.of().formatHex(digest.digest());
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            writeStamp(file, hash);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static boolean isIntact(Path file) throws IOException {
        var stamp = stampOf(file);
        if (!Files.isRegularFile(file) || !Files.isRegularFile(stamp)) {
            return false;
        }
        var parts = Files.readString(stamp).strip().split(" ");
        if (parts.length != 3 || !parts[1].equals(Long.toString(Files.size(file)))) {
            return false;
        }
        if (parts[2].equals(time(file))) {
            return true;
        }
        if (!parts[0].equals(hash(file))) {
            return false;
        }
        writeStamp(file, parts[0]);
        return true;
    }

    private static Path stampOf(Path file) {
        return file.resolveSibling(file.getFileName() + ".sha256");
    }

    private static void writeStamp(Path file, String hash) throws IOException {
        var temporary = Files.createTempFile(file.getParent(), "." + file.getFileName(), ".tmp");
        try {
            Files.writeString(temporary, hash + " " + Files.size(file) + " " + time(file) + "\n");
            Files.move(temporary, stampOf(file), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static String time(Path file) throws IOException {
        return Files.getLastModifiedTime(file).toInstant().toString();
    }

    private static String hash(Path file) throws IOException {
        var digest = sha256();
        try (var in = new DigestInputStream(Files.newInputStream(file), digest)) {
            in.transferTo(java.io.OutputStream.nullOutputStream());
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("SHA-256 is part of every Java runtime", e);
        }
    }
}
