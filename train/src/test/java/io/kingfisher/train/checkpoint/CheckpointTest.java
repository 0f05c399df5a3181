package io.kingfisher.train.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.train.json.Json;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointTest {
    @TempDir
    private Path folder;

    static Checkpoint at(int epoch, long batch) {
        var state = new TrainingState(
                epoch,
                epoch * 10L + batch,
                batch,
                7,
                Map.of("dropout", Long.MAX_VALUE, "data", -1L),
                Map.of("last", 0.1),
                Map.of("position", 3L),
                Map.of("best_loss", Double.POSITIVE_INFINITY, "mean", 1.0 / 3),
                Map.of("dataset", "glyphs", "model", Map.of("hidden", List.of(10L, 20L))));
        return new Checkpoint(
                state,
                List.of(
                        SafetensorsTest.floats("fc.weight", new long[] {2, 2}, 1, 2, 3, epoch),
                        SafetensorsTest.floats("optimizer.m.fc.weight", new long[] {2, 2}, 5, 6, 7, 8)));
    }

    @Test
    void stateAndTensorsComeBackExactly() throws IOException {
        Path path = folder.resolve("a.safetensors");
        at(3, 4).save(path);
        try (Arena arena = Arena.ofConfined()) {
            Checkpoint back = Checkpoint.load(path, arena);
            TrainingState state = back.state();
            assertEquals(3, state.epoch());
            assertEquals(34, state.step());
            assertEquals(4, state.batch());
            assertEquals(7, state.seed());
            assertEquals(Map.of("dropout", Long.MAX_VALUE, "data", -1L), state.random());
            assertEquals(Map.of("last", 0.1), state.schedule());
            assertEquals(Map.of("position", 3L), state.data());
            assertEquals(1.0 / 3, state.progress().get("mean"));
            assertEquals(Double.POSITIVE_INFINITY, Json.real(state.progress().get("best_loss")));
            assertEquals(at(3, 4).state().config(), state.config());
            assertArrayEquals(
                    new float[] {1, 2, 3, 3}, back.tensor("fc.weight").data().toArray(ValueLayout.JAVA_FLOAT));
            var e = assertThrows(KingfisherException.class, () -> back.tensor("fc.bias"));
            assertTrue(e.getMessage().contains("no tensor 'fc.bias'"));
        }
    }

    @Test
    void savingTwiceGivesTheSameBytes() throws IOException {
        at(1, 0).save(folder.resolve("a"));
        at(1, 0).save(folder.resolve("b"));
        assertEquals(-1, Files.mismatch(folder.resolve("a"), folder.resolve("b")));
    }

    /** Unlike the plain format, a checkpoint refuses a change in any byte that means something. */
    @Test
    void anyDamageIsRefusedByName() throws IOException {
        Path path = folder.resolve("a.safetensors");
        at(1, 0).save(path);
        byte[] whole = Files.readAllBytes(path);
        var random = new Random(3);
        for (int i = 0; i < 2000; i++) {
            byte[] damaged = whole.clone();
            int at = i < whole.length ? i : random.nextInt(whole.length);
            damaged[at] ^= (byte) (1 << random.nextInt(8));
            Files.write(path, damaged);
            try (Arena arena = Arena.ofConfined()) {
                var e = assertThrows(KingfisherException.class, () -> Checkpoint.load(path, arena), "byte " + at);
                assertTrue(e.getMessage().startsWith(path + ": "), e.getMessage());
            }
        }
        for (int length = 0; length < whole.length; length++) {
            Files.write(path, Arrays.copyOf(whole, length));
            try (Arena arena = Arena.ofConfined()) {
                assertThrows(KingfisherException.class, () -> Checkpoint.load(path, arena));
            }
        }
    }

    @Test
    void weightsAloneAreNotACheckpoint() {
        Path path = folder.resolve("weights.safetensors");
        Safetensors.write(path, Map.of(), at(1, 0).tensors());
        try (Arena arena = Arena.ofConfined()) {
            var e = assertThrows(KingfisherException.class, () -> Checkpoint.load(path, arena));
            assertTrue(e.getMessage().contains("use --init"), e.getMessage());
        }
    }

    @Test
    void aFolderKeepsLastBestAndEveryNth() {
        var run = new CheckpointFolder(folder.resolve("run"), 2, 2);
        assertEquals(List.of(), run.epochs());
        for (int epoch = 1; epoch <= 7; epoch++) {
            run.save(at(epoch, 0), epoch == 3);
        }
        run.save(at(8, 5), false); // in the middle of an epoch
        assertEquals(List.of(run.epoch(6), run.epoch(4)), run.epochs());
        assertFalse(Files.exists(run.epoch(8)));
        try (Arena arena = Arena.ofConfined()) {
            assertEquals(3, Checkpoint.load(run.best(), arena).state().epoch());
            assertEquals(
                    8,
                    CheckpointFolder.resume(folder.resolve("run"), arena)
                            .state()
                            .epoch());
            assertEquals(4, CheckpointFolder.resume(run.epoch(4), arena).state().epoch());
        }
    }

    @Test
    void lastIsWrittenLastSoThatWhoDiesBeforeItMissesNothingAfterResuming() throws IOException {
        var run = new CheckpointFolder(folder, 1, 0);
        // A folder in its place stops the run where a kill might.
        Files.createDirectories(run.last().resolve("in the way"));
        assertThrows(KingfisherException.class, () -> run.save(at(1, 0), true));
        try (Arena arena = Arena.ofConfined()) {
            assertEquals(1, Checkpoint.load(run.best(), arena).state().epoch());
            assertEquals(1, Checkpoint.load(run.epoch(1), arena).state().epoch());
        }
    }

    @Test
    void aDamagedLastIsRefusedAndTheWholeOnesAreNamed() throws IOException {
        var run = new CheckpointFolder(folder, 1, 0);
        run.save(at(1, 0), true);
        run.save(at(2, 0), false);
        byte[] bytes = Files.readAllBytes(run.last());
        bytes[bytes.length - 1] ^= 1;
        Files.write(run.last(), bytes);
        Files.write(run.epoch(2), new byte[3]);
        byte[] best = Files.readAllBytes(run.best());
        try (Arena arena = Arena.ofConfined()) {
            String message = assertThrows(KingfisherException.class, () -> CheckpointFolder.resume(folder, arena))
                    .getMessage();
            assertTrue(message.startsWith(run.last() + ": this checkpoint is damaged"), message);
            assertTrue(message.endsWith("beside it: " + run.best() + ", " + run.epoch(1) + "."), message);
        }
        assertArrayEquals(best, Files.readAllBytes(run.best()));
        assertArrayEquals(bytes, Files.readAllBytes(run.last()));
    }

    @Test
    void aTemporaryFileLeftByAKilledProcessIsInNobodysWay() throws IOException {
        var run = new CheckpointFolder(folder, 0, 0);
        Files.write(folder.resolve(".last.safetensors.tmp"), new byte[100_000]);
        run.save(at(1, 0), false);
        try (var files = Files.list(folder)) {
            assertEquals(List.of(run.last()), files.toList());
        }
    }
}
