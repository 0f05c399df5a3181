package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/** Data sets that are folders, or zips, of class folders with JPEG or PNG images. */
final class ImageFolders {
    /** Training images that are decoded to learn the size, the channels and, where images are streamed, statistics. */
    private static final int PROBED = 256;

    private ImageFolders() {}

    /**
     * Opens a folder or zip.
     *
     * @param name of the data set
     * @param known the statistics of the training images where they are published; measured where empty
     */
    static DataSplits open(String name, Path path, int imageSize, long limit, Optional<ChannelStatistics> known) {
        ImageSource source = Files.isDirectory(path) ? new FolderImages(path) : new ZipImages(path);
        try (var shared = new SharedSource(source)) {
            ImageTree tree = ImageTree.of(path.toString(), source.names());
            if (tree.classes().size() < 2) {
                throw new KingfisherException("%s: there is only one class folder, '%s'; at least two are needed"
                        .formatted(path, tree.classes().getFirst()));
            }
            List<ImageDecoder.Decoded> probes = probe(source, tree.train());
            boolean grey = probes.stream().allMatch(image -> image.channels() == 1);
            var format = new MemoryImages.Format(
                    grey ? 1 : 3,
                    imageSize > 0 ? imageSize : probes.getFirst().height(),
                    imageSize > 0 ? imageSize : probes.getFirst().width());
            if (known.isPresent() && known.get().mean().length != format.channels()) {
                throw new KingfisherException(
                        "%s: the images are grey, but those of %s have colours".formatted(path, name));
            }
            var train = new EncodedImages(source, tree.train(), format, imageSize > 0);
            var test = new EncodedImages(source, tree.test(), format, imageSize > 0);
            var opener = new Opener(name, tree.classes(), limit, shared);
            ImageDataset first = opener.open(Split.TRAIN, train, known);
            try {
                var statistics = new ChannelStatistics(first.mean(), first.std());
                return new DataSplits(first, opener.open(Split.TEST, test, Optional.of(statistics)), tree.notes());
            } catch (RuntimeException | Error e) {
                first.close();
                throw e;
            }
        }
    }

    /** Evenly spaced images of the training split. */
    private static List<ImageDecoder.Decoded> probe(ImageSource source, List<ImageTree.Image> images) {
        var decoder = new ImageDecoder();
        int count = Math.min(PROBED, images.size());
        return IntStream.range(0, count)
                .mapToObj(i ->
                        images.get((int) ((long) i * images.size() / count)).name())
                .map(name -> decoder.decode(source.read(name), source.where(name)))
                .toList();
    }

    private record Opener(String name, List<String> classes, long limit, SharedSource source) {
        ImageDataset open(Split split, EncodedImages images, Optional<ChannelStatistics> known) {
            if (images.decodedBytes() > limit) {
                return new StreamedImages(name, split, images, classes, known.orElseGet(() -> sampled(images)), source);
            }
            var arena = Arena.ofShared();
            try {
                MemorySegment pixels = arena.allocate(images.decodedBytes(), 64);
                MemorySegment labels = arena.allocate((long) images.images().size() * Integer.BYTES, 64);
                for (int i = 0; i < images.images().size(); i++) {
                    labels.setAtIndex(
                            ValueLayout.JAVA_INT, i, images.images().get(i).label());
                }
                decodeAll(images, pixels);
                return new MemoryImages(
                        name,
                        split,
                        images.format(),
                        classes,
                        known.orElseGet(() -> ChannelStatistics.measure(pixels, images.format())),
                        arena,
                        pixels,
                        labels);
            } catch (RuntimeException | Error e) {
                arena.close();
                throw e;
            }
        }

        private static ChannelStatistics sampled(EncodedImages images) {
            int size = images.images().size();
            int count = Math.min(PROBED, size);
            int bytes = images.format().bytes();
            var decoder = new ImageDecoder();
            var pixels = new byte[bytes];
            try (var arena = Arena.ofConfined()) {
                MemorySegment sample = arena.allocate((long) count * bytes, 64);
                for (int i = 0; i < count; i++) {
                    images.read((int) ((long) i * size / count), decoder, pixels, 0);
                    MemorySegment.copy(pixels, 0, sample, ValueLayout.JAVA_BYTE, (long) i * bytes, bytes);
                }
                return ChannelStatistics.measure(sample, images.format());
            }
        }

        /** Decodes with all processors; of several damaged images the first is reported, whichever thread saw it. */
        private static void decodeAll(EncodedImages images, MemorySegment pixels) {
            int bytes = images.format().bytes();
            int size = images.images().size();
            var next = new AtomicInteger();
            var failedAt = new AtomicInteger(Integer.MAX_VALUE);
            var failures = new ArrayList<Throwable>();
            Runnable worker = () -> {
                var decoder = new ImageDecoder();
                var image = new byte[bytes];
                for (int i = next.getAndIncrement(); i < size && i < failedAt.get(); i = next.getAndIncrement()) {
                    try {
                        images.read(i, decoder, image, 0);
                        MemorySegment.copy(image, 0, pixels, ValueLayout.JAVA_BYTE, (long) i * bytes, bytes);
                    } catch (Throwable e) { // Rethrown by the caller.
                        synchronized (failures) {
                            if (i < failedAt.get()) {
                                failedAt.set(i);
                                failures.addFirst(e);
                            }
                        }
                        return;
                    }
                }
            };
            var threads = new ArrayList<Thread>();
            int count = Math.min(Runtime.getRuntime().availableProcessors(), size / 64);
            for (int t = 1; t < count; t++) {
                threads.add(Thread.ofPlatform()
                        .daemon()
                        .name("kingfisher-decode-" + t)
                        .start(worker));
            }
            worker.run();
            boolean interrupted = false;
            for (Thread thread : threads) {
                while (thread.isAlive()) {
                    try {
                        thread.join();
                    } catch (InterruptedException e) {
                        // The threads write into memory of ours: they must end first.
                        interrupted = true;
                        failedAt.set(-1);
                    }
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
                throw new KingfisherException("interrupted while decoding images");
            }
            if (!failures.isEmpty()) {
                Throwable first = failures.getFirst();
                if (first instanceof Error error) {
                    throw error;
                }
                throw (RuntimeException) first;
            }
        }
    }
}
