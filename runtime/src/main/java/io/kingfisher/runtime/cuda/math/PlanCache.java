package io.kingfisher.runtime.cuda.math;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which algorithm was fastest, by problem: in memory and as small files in a folder, each with its whole key, written beside
 * and moved into place, so that several processes may share the folder. A file that is damaged is as good as none.
 */
final class PlanCache {
    private final Path folder;
    private final Map<String, String> known = new HashMap<>();

    /** @param folder null to keep nothing on disk */
    PlanCache(Path folder) {
        this.folder = folder;
    }

    Optional<String> find(String key) {
        String label = known.get(key);
        if (label != null || folder == null) {
            return Optional.ofNullable(label);
        }
        try {
            List<String> lines = Files.readAllLines(file(key), StandardCharsets.UTF_8);
            if (lines.size() == 2 && lines.get(0).equals(key)) {
                known.put(key, lines.get(1));
                return Optional.of(lines.get(1));
            }
        } catch (IOException e) {
            // Not measured yet, or not readable: it is measured again.
        }
        return Optional.empty();
    }

    void put(String key, String label) {
        known.put(key, label);
        if (folder == null) {
            return;
        }
        try {
            Files.createDirectories(folder);
            Path beside = Files.createTempFile(folder, "plan", ".new");
            Files.writeString(beside, key + "\n" + label + "\n");
            Files.move(beside, file(key), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            // The next process measures again; this one knows.
        }
    }

    private Path file(String key) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
            return folder.resolve("cudnn-" + HexFormat.of().formatHex(digest, 0, 16) + ".plan");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
