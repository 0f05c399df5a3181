package io.kingfisher.train.checkpoint;

import io.kingfisher.runtime.KingfisherException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A run's state in one safetensors file: the model's tensors under PyTorch's names, the optimizer's under {@code
 * optimizer.}, and the {@link TrainingState} as JSON in the file's metadata. A SHA-256 over all of it tells a damaged
 * file from a good one; any safetensors reader can read the tensors.
 *
 * @param state where the run stands
 * @param tensors the model's and the optimizer's tensors
 */
public record Checkpoint(TrainingState state, List<SafeTensor> tensors) {
    private static final String STATE = "kingfisher";
    private static final String HASH = "kingfisher.sha256";

    public Checkpoint {
        tensors = List.copyOf(tensors);
    }

    /** The tensor of that name. */
    public SafeTensor tensor(String name) {
        return tensors.stream()
                .filter(tensor -> tensor.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new KingfisherException("the checkpoint has no tensor '" + name + "'; it belongs to"
                        + " another model or optimizer than the configuration's."));
    }

    /** Writes the file whole or not at all, as {@link Safetensors#write} does. */
    public void save(Path path) {
        var metadata = new LinkedHashMap<String, String>();
        metadata.put("format", "pt"); // what PyTorch's readers look for
        metadata.put(STATE, state.toJson());
        metadata.put(HASH, hash(metadata, Safetensors.inFileOrder(tensors)));
        Safetensors.write(path, metadata, tensors);
    }

    /**
     * Reads and verifies a file.
     *
     * @param arena owns the tensors' memory
     * @throws KingfisherException naming the path, for a file that is damaged in any byte or is not a checkpoint
     */
    public static Checkpoint load(Path path, Arena arena) {
        Safetensors file = Safetensors.read(path, arena);
        Map<String, String> metadata = file.metadata();
        String json = metadata.get(STATE);
        String hash = metadata.get(HASH);
        if (json == null || hash == null) {
            throw new KingfisherException(path
                    + ": holds tensors but no state of a run, so it cannot be resumed; to start a new run from its"
                    + " weights, use --init.");
        }
        if (!hash.equals(hash(metadata, Safetensors.inFileOrder(file.tensors())))) {
            throw new KingfisherException(path
                    + ": this checkpoint is damaged: its contents do not match the SHA-256 it was written with; use"
                    + " another checkpoint of the run.");
        }
        try {
            return new Checkpoint(TrainingState.fromJson(json), file.tensors());
        } catch (IOException e) {
            throw new KingfisherException(path + ": the run's state in it cannot be read: " + e.getMessage() + ".", e);
        }
    }

    private static String hash(Map<String, String> metadata, List<SafeTensor> tensors) {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has it
        }
        new TreeMap<>(metadata).forEach((key, text) -> {
            if (!key.equals(HASH)) {
                update(digest, key);
                update(digest, text);
            }
        });
        for (SafeTensor tensor : tensors) {
            update(digest, tensor.name());
            update(digest, tensor.dtype() + tensor.shape());
            Pieces.forEach(tensor.data(), digest::update);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** The length first, so that text cannot move from one field to the next unseen. */
    private static void update(MessageDigest digest, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        digest.update((bytes.length + ":").getBytes(StandardCharsets.UTF_8));
        digest.update(bytes);
    }
}
