package io.kingfisher.train.checkpoint;

import io.kingfisher.runtime.KingfisherException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The checkpoints of one run: {@code last.safetensors}, {@code best.safetensors} and {@code epoch-0010.safetensors} for
 * the epochs that are kept.
 *
 * @param folder where they are; made when the first is written
 * @param every epochs between kept checkpoints; 0 keeps none but last and best
 * @param keep how many of those are kept, the newest ones; 0 keeps all
 */
public record CheckpointFolder(Path folder, int every, int keep) {
    private static final String SUFFIX = ".safetensors";
    private static final Pattern EPOCH = Pattern.compile("epoch-(\\d{4,9})\\.safetensors");

    /** The newest state. */
    public Path last() {
        return folder.resolve("last" + SUFFIX);
    }

    /** The state with the best test result so far. */
    public Path best() {
        return folder.resolve("best" + SUFFIX);
    }

    /** The state after that many epochs. */
    public Path epoch(int epoch) {
        return folder.resolve("epoch-%04d%s".formatted(epoch, SUFFIX));
    }

    /**
     * Writes a checkpoint under every name it goes by. {@code last} comes last: a run that is killed before it is there
     * resumes from the one before and writes the others again.
     *
     * @param isBest whether it is the best so far
     */
    public void save(Checkpoint checkpoint, boolean isBest) {
        if (isBest) {
            checkpoint.save(best());
        }
        TrainingState state = checkpoint.state();
        if (every > 0 && state.batch() == 0 && state.epoch() > 0 && state.epoch() % every == 0) {
            checkpoint.save(epoch(state.epoch()));
            removeOld();
        }
        checkpoint.save(last());
    }

    /** Kept epochs, newest first. */
    public List<Path> epochs() {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        var found = new ArrayList<Path>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                if (EPOCH.matcher(file.getFileName().toString()).matches()) {
                    found.add(file);
                }
            }
        } catch (IOException e) {
            throw new KingfisherException(folder + ": cannot be listed: " + e + ".", e);
        }
        found.sort(Comparator.comparingInt(CheckpointFolder::epochOf).reversed());
        return found;
    }

    private static int epochOf(Path file) {
        Matcher matcher = EPOCH.matcher(file.getFileName().toString());
        return matcher.matches() ? Integer.parseInt(matcher.group(1)) : -1;
    }

    private void removeOld() {
        if (keep <= 0) {
            return;
        }
        for (Path old : epochs().stream().skip(keep).toList()) {
            try {
                Files.delete(old);
            } catch (IOException e) {
                throw new KingfisherException(old + ": this old checkpoint cannot be removed: " + e + ".", e);
            }
        }
    }

    /**
     * Reads the checkpoint that {@code --resume} names: a file, or a folder whose {@code last} is meant. A damaged one is
     * refused by name, left as it is, and the others beside it that are whole are named.
     */
    public static Checkpoint resume(Path fileOrFolder, Arena arena) {
        Path file = Files.isDirectory(fileOrFolder) ? new CheckpointFolder(fileOrFolder, 0, 0).last() : fileOrFolder;
        try {
            return Checkpoint.load(file, arena);
        } catch (KingfisherException e) {
            Path beside = file.toAbsolutePath().getParent();
            List<String> others = new CheckpointFolder(beside, 0, 0)
                    .whole(file).stream().map(Path::toString).toList();
            if (others.isEmpty()) {
                throw e;
            }
            throw new KingfisherException(
                    e.getMessage() + " Whole checkpoints beside it: " + String.join(", ", others) + ".", e);
        }
    }

    private List<Path> whole(Path except) {
        var candidates = new ArrayList<Path>(List.of(last(), best()));
        candidates.addAll(epochs());
        return candidates.stream()
                .filter(file -> Files.isRegularFile(file) && !isSame(file, except) && isWhole(file))
                .toList();
    }

    private static boolean isSame(Path a, Path b) {
        return a.toAbsolutePath().normalize().equals(b.toAbsolutePath().normalize());
    }

    private static boolean isWhole(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            Checkpoint.load(file, arena);
            return true;
        } catch (KingfisherException e) {
            return false;
        }
    }
}
