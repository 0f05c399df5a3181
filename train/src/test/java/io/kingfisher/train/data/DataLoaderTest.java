package io.kingfisher.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.KingfisherException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;

class DataLoaderTest {
    private static final Augmentation EVERYTHING = new Augmentation(2, true, 1, 3);

    /** Everything about a batch in one string. */
    private static String print(Batch batch) {
        var crc = new CRC32();
        crc.update(batch.inputs().toArray(ValueLayout.JAVA_BYTE));
        return "%d/%d %d %d %s %08x %s"
                .formatted(
                        batch.epoch(),
                        batch.index(),
                        batch.size(),
                        batch.targetCount(),
                        batch.isLast(),
                        crc.getValue(),
                        Arrays.toString(batch.targets().toArray(ValueLayout.JAVA_INT)));
    }

    private static List<String> take(DataLoader loader, int count) {
        var taken = new ArrayList<String>();
        for (int i = 0; i < count; i++) {
            taken.add(print(loader.next()));
        }
        return taken;
    }

    @Test
    void batchesAreTheSameForAnyNumberOfWorkersAndBuffers() {
        var images = new FakeImages(101, 3, 9, 7);
        for (boolean dropLast : new boolean[] {true, false}) {
            var options = LoaderOptions.training(20, 5).withDropLast(dropLast).withAugmentation(EVERYTHING);
            List<String> expected;
            try (var inline = new DataLoader(images, options.withWorkers(0))) {
                assertEquals(dropLast ? 5 : 6, inline.batchesPerEpoch());
                expected = take(inline, 20);
            }
            for (int workers : new int[] {1, 2, 3, 7}) {
                for (int buffers : new int[] {1, 2, 5, 13}) {
                    try (var loader =
                            new DataLoader(images, options.withWorkers(workers).withBuffers(buffers))) {
                        assertEquals(expected, take(loader, 20), workers + " workers, " + buffers + " buffers");
                    }
                }
            }
        }
    }

    @Test
    void everyEpochIsAnotherPermutation() {
        var images = new FakeImages(64, 1, 2, 2);
        try (var loader = new DataLoader(images, LoaderOptions.training(16, 9))) {
            var orders = new HashSet<List<Integer>>();
            for (int epoch = 0; epoch < 5; epoch++) {
                var order = new ArrayList<Integer>();
                for (int i = 0; i < 4; i++) {
                    Batch batch = loader.next();
                    assertEquals(epoch, batch.epoch());
                    assertEquals(i, batch.index());
                    assertEquals(i == 3, batch.isLast());
                    for (int label : batch.targets().toArray(ValueLayout.JAVA_INT)) {
                        order.add(label);
                    }
                }
                assertEquals(64, new HashSet<>(order).size());
                orders.add(order);
            }
            assertEquals(5, orders.size());
        }
    }

    @Test
    void permutationsAreEquallyLikely() {
        // 3! orders, 6000 epochs: each 1000 times, within five deviations.
        var counts = new java.util.TreeMap<String, Integer>();
        var order = new EpochOrder(3, true, 11);
        for (int epoch = 0; epoch < 6000; epoch++) {
            order.begin(epoch, 0);
            counts.merge("" + order.next() + order.next() + order.next(), 1, Integer::sum);
        }
        assertEquals(6, counts.size());
        counts.values().forEach(count -> assertEquals(1000, count, 5 * Math.sqrt(6000 * 5.0 / 36)));
    }

    @Test
    void continuesExactlyWhereItWasSaved() {
        var images = new FakeImages(50, 1, 4, 4);
        var options = LoaderOptions.training(8, 3).withAugmentation(EVERYTHING).withDropLast(false);
        try (var whole = new DataLoader(images, options)) {
            List<String> expected = take(whole, 30);
            for (int done : new int[] {0, 1, 5, 6, 7, 13, 14, 20}) {
                Position saved;
                try (var before = new DataLoader(images, options.withWorkers(1))) {
                    take(before, done);
                    saved = before.position();
                    assertEquals(new Position(done / 7, done % 7), saved);
                }
                try (var after = new DataLoader(images, options)) {
                    take(after, 2);
                    after.seek(saved);
                    assertEquals(saved, after.position());
                    assertEquals(expected.subList(done, 30), take(after, 30 - done), "after " + done);
                }
            }
            whole.seek(new Position(0, 7)); // The end of an epoch is the beginning of the next.
            assertEquals(expected.subList(7, 9), take(whole, 2));
            assertThrows(KingfisherException.class, () -> whole.seek(new Position(0, 8)));
        }
    }

    @Test
    void theLastBatchSaysHowManyRowsAreValid() {
        var images = new FakeImages(10, 1, 2, 3);
        for (int workers : new int[] {0, 2}) {
            try (var loader = new DataLoader(images, LoaderOptions.evaluation(4).withWorkers(workers))) {
                assertEquals(3, loader.batchesPerEpoch());
                for (int epoch = 0; epoch < 3; epoch++) {
                    assertArrayEquals(new int[] {0, 1, 2, 3}, targets(loader.next()));
                    assertArrayEquals(new int[] {4, 5, 6, 7}, targets(loader.next()));
                    Batch last = loader.next();
                    assertTrue(last.isLast());
                    assertEquals(2, last.size());
                    assertEquals(2, last.targetCount());
                    assertArrayEquals(new int[] {8, 9, DataLoader.IGNORE, DataLoader.IGNORE}, targets(last));
                    for (int i = 12; i < 24; i++) {
                        assertEquals(0f, last.inputs().getAtIndex(ValueLayout.JAVA_FLOAT, i));
                    }
                }
            }
        }
    }

    private static int[] targets(Batch batch) {
        return batch.targets().toArray(ValueLayout.JAVA_INT);
    }

    @Test
    void fillsTheCallersBuffersInTurn() {
        var images = new FakeImages(12, 1, 2, 2);
        try (var arena = Arena.ofShared()) {
            var buffers = List.of(
                    new DataLoader.Buffer(arena.allocate(48, 4), arena.allocate(12, 4)),
                    new DataLoader.Buffer(arena.allocate(48, 4), arena.allocate(12, 4)));
            try (var loader = new DataLoader(images, LoaderOptions.evaluation(3), buffers)) {
                for (int i = 0; i < 8; i++) {
                    Batch batch = loader.next();
                    assertEquals(i % 2, batch.slot());
                    assertSame(buffers.get(i % 2).inputs(), batch.inputs());
                    assertEquals(3 * (i % 4), batch.targets().get(ValueLayout.JAVA_INT, 0));
                }
            }
            var small = List.of(new DataLoader.Buffer(arena.allocate(47, 4), arena.allocate(12, 4)));
            assertThrows(KingfisherException.class, () -> new DataLoader(images, LoaderOptions.evaluation(3), small));
            assertThrows(
                    KingfisherException.class, () -> new DataLoader(images, LoaderOptions.evaluation(3), List.of()));
        }
    }

    @Test
    void aBatchStaysUntouchedUntilTheNextCall() throws InterruptedException {
        var images = new FakeImages(640, 1, 8, 8);
        try (var loader = new DataLoader(images, LoaderOptions.training(32, 1).withWorkers(3))) {
            for (int i = 0; i < 10; i++) {
                Batch batch = loader.next();
                String before = print(batch);
                Thread.sleep(2);
                assertEquals(before, print(batch));
            }
        }
    }

    @Test
    void aSampleThatCannotBeReadIsReportedToTheCaller() {
        var images = new FakeImages(30, 1, 2, 2, 17);
        for (int workers : new int[] {0, 1, 4}) {
            try (var loader =
                    new DataLoader(images, LoaderOptions.evaluation(10).withWorkers(workers))) {
                var error = assertThrows(KingfisherException.class, () -> take(loader, 3));
                assertEquals("image 17 is damaged", error.getMessage());
                assertThrows(KingfisherException.class, loader::next, "went on after an error");
                loader.seek(new Position(0, 2));
                assertEquals(20, targets(loader.next())[0]);
            }
        }
    }

    @Test
    void allocatesNothingInSteadyState() {
        var images = new FakeImages(512, 3, 32, 32);
        var threads = (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
        for (int workers : new int[] {0, 2}) {
            var options = LoaderOptions.training(64, 1)
                    .withWorkers(workers)
                    .withAugmentation(Augmentation.CROP_AND_FLIP.withCutout(1, 8));
            try (var loader = new DataLoader(images, options)) {
                for (int i = 0; i < 400; i++) {
                    loader.next();
                }
                long fewest = Long.MAX_VALUE;
                long fewestOfMine = Long.MAX_VALUE;
                for (int round = 0; round < 5; round++) {
                    long all = threads.getTotalThreadAllocatedBytes();
                    long mine = threads.getCurrentThreadAllocatedBytes();
                    for (int i = 0; i < 100; i++) {
                        loader.next();
                    }
                    fewestOfMine = Math.min(fewestOfMine, threads.getCurrentThreadAllocatedBytes() - mine);
                    fewest = Math.min(fewest, threads.getTotalThreadAllocatedBytes() - all);
                }
                assertEquals(0, fewestOfMine);
                // Other threads of the virtual machine may allocate a little; a batch has 786,432 bytes.
                assertTrue(fewest < 100_000, "all threads allocated " + fewest);
            }
        }
    }

    @Test
    void refusesWhatCannotWork() {
        var images = new FakeImages(10, 1, 2, 2);
        assertThrows(KingfisherException.class, () -> new DataLoader(images, LoaderOptions.training(11, 0)));
        assertThrows(KingfisherException.class, () -> LoaderOptions.training(0, 0));
        assertThrows(
                KingfisherException.class, () -> LoaderOptions.training(1, 0).withWorkers(-1));
        assertThrows(
                KingfisherException.class, () -> LoaderOptions.training(1, 0).withBuffers(0));
        var closed = new DataLoader(images, LoaderOptions.training(2, 0));
        closed.close();
        closed.close();
        assertThrows(KingfisherException.class, closed::next);
    }

    @Test
    void differentSeedsGiveDifferentOrders() {
        var images = new FakeImages(100, 1, 2, 2);
        try (var a = new DataLoader(images, LoaderOptions.training(10, 1));
                var b = new DataLoader(images, LoaderOptions.training(10, 2));
                var plain = new DataLoader(images, LoaderOptions.training(10, 1).withShuffle(false))) {
            assertNotEquals(take(a, 1), take(b, 1));
            assertArrayEquals(new int[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, targets(plain.next()));
        }
    }

    @Test
    void saysSoWhenAWorkerIsLost() {
        var images = new FakeImages(1000, 1, 2, 2);
        try (var loader = new DataLoader(images, LoaderOptions.training(10, 1).withWorkers(1))) {
            loader.next();
            Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().startsWith("kingfisher-data-fake"))
                    .forEach(Thread::interrupt);
            assertThrows(KingfisherException.class, () -> take(loader, 1000));
            loader.seek(Position.START);
            assertThrows(KingfisherException.class, () -> take(loader, 1000));
        }
    }

    @Test
    void stopsItsWorkersWhenClosed() {
        var images = new FakeImages(100, 1, 2, 2);
        new DataLoader(images, LoaderOptions.training(10, 1).withWorkers(3)).close();
        assertFalse(Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.getName().startsWith("kingfisher-data-fake")));
    }
}
