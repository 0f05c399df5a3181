package io.kingfisher.runtime.cuda.nvrtc;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Compiled kernels on disk, each in a file named after the SHA-256 of all that it was made of. A file holds the SHA-256 of
 * its contents before them: one that does not fit is removed, and made anew by whoever wants it. A file is written under
 * another name and renamed, so that several processes may use the cache at once, without locks: the last one wins, and all
 * write the same.
 */
public final class CubinCache {
    private static final byte[] MAGIC = "kingfisher cubin 1\n".getBytes(StandardCharsets.US_ASCII);
    private static final int HASH_BYTES = 32;

    private final Path folder;
    private final AtomicReference<String> trouble = new AtomicReference<>();

    /** A cache in a folder, which is made when there is something to keep. */
    public CubinCache(Path folder) {
        this.folder = folder;
    }

    /**
     * What an entry is known by.
     *
     * @param name what the compiler was told that the source is called, which is in its output
     * @param source the source with all that it includes
     * @param options the compiler's options in order, the architecture among them
     * @param version the compiler's version
     */
    public record Key(String name, String source, List<String> options, String version) {
        /** Copies the list. */
        public Key {
            options = List.copyOf(options);
        }

        String hash() {
            var digest = sha256();
            // The lengths go in, too, so that no two keys are the same bytes.
            add(digest, version);
            add(digest, Integer.toString(options.size()));
            options.forEach(option -> add(digest, option));
            add(digest, name);
            add(digest, source);
            return HexFormat.of().formatHex(digest.digest());
        }

        private static void add(MessageDigest digest, String text) {
            var bytes = text.getBytes(StandardCharsets.UTF_8);
            digest.update((bytes.length + ":").getBytes(StandardCharsets.US_ASCII));
            digest.update(bytes);
        }
    }

    /** Returns what is kept under a key, if it is there and undamaged. */
    public Optional<byte[]> get(Key key) {
        var file = file(key);
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            trouble.set(file + " cannot be read (" + e + ")");
            return Optional.empty();
        }
        int start = MAGIC.length + HASH_BYTES;
        if (bytes.length > start && Arrays.equals(bytes, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
            var contents = Arrays.copyOfRange(bytes, start, bytes.length);
            if (MessageDigest.isEqual(sha256().digest(contents), Arrays.copyOfRange(bytes, MAGIC.length, start))) {
                return Optional.of(contents);
            }
        }
        trouble.set(file + " was damaged, and has been made anew");
        return Optional.empty();
    }

    /** Keeps something; a cache that cannot be written keeps nothing, and {@link #trouble} says why. */
    public void put(Key key, byte[] contents) {
        var bytes = new ByteArrayOutputStream();
        bytes.writeBytes(MAGIC);
        bytes.writeBytes(sha256().digest(contents));
        bytes.writeBytes(contents);
        Path temporary = null;
        try {
            createFolder();
            temporary = Files.createTempFile(folder, ".", ".tmp");
            Files.write(temporary, bytes.toByteArray());
            Files.move(temporary, file(key), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            trouble.set(folder + " cannot be written (" + e
                    + "), so kernels are compiled at every start: set the system property kingfisher.cache to a folder"
                    + " that can be");
        } finally {
            delete(temporary);
        }
    }

    private void createFolder() throws IOException {
        try {
            Files.createDirectories(folder);
        } catch (FileAlreadyExistsException e) {
            throw new IOException("it is not a folder", e);
        }
    }

    private static void delete(Path temporary) {
        try {
            if (temporary != null) {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            // It is in nobody's way but the disk's.
        }
    }

    /** What last went wrong with the cache, which nobody need know to use it. */
    public Optional<String> trouble() {
        return Optional.ofNullable(trouble.get());
    }

    /** Returns the folder. */
    public Path folder() {
        return folder;
    }

    Path file(Key key) {
        return folder.resolve(key.hash() + ".cubin");
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("SHA-256 is part of every Java runtime", e);
        }
    }
}
