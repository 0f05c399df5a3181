package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * CIFAR-10 and CIFAR-100 in their binary versions: records of one label (CIFAR-10) or a coarse and a fine label
 * (CIFAR-100, of which the fine one is used), then 3,072 bytes of pixels [3,32,32].
 */
final class CifarFiles {
    /** One of the two data sets, with the statistics of its training images. */
    enum Kind {
        CIFAR10("cifar10", 10, 1, ChannelStatistics.of(.4914, .4822, .4465, .2470, .2435, .2616)),
        CIFAR100("cifar100", 100, 2, ChannelStatistics.of(.5071, .4865, .4409, .2673, .2564, .2762));

        final String label;
        final int classes;
        private final int labelBytes;
        final ChannelStatistics statistics;

        Kind(String label, int classes, int labelBytes, ChannelStatistics statistics) {
            this.label = label;
            this.classes = classes;
            this.labelBytes = labelBytes;
            this.statistics = statistics;
        }

        private List<String> trainFiles() {
            return this == CIFAR10
                    ? IntStream.rangeClosed(1, 5)
                            .mapToObj(i -> "data_batch_" + i + ".bin")
                            .toList()
                    : List.of("train.bin");
        }

        private String testFile() {
            return this == CIFAR10 ? "test_batch.bin" : "test.bin";
        }

        DataAdvice advice() {
            return this == CIFAR10 ? DataAdvice.CIFAR10 : DataAdvice.CIFAR100;
        }

        /** The files of the binary version. */
        List<String> files() {
            return Stream.concat(trainFiles().stream(), Stream.of(testFile())).toList();
        }

        /** What to do about other versions that are there instead. */
        String hint(Path path) {
            String stem = this == CIFAR10 ? "cifar-10" : "cifar-100";
            String binary = this == CIFAR10 ? "cifar-10-binary.tar.gz" : "cifar-100-binary.tar.gz";
            if (Files.exists(path.resolve(binary))) {
                return "; unpack " + binary + " first";
            }
            for (String python :
                    List.of(stem + "-python.tar.gz", stem + "-batches-py", stem + "-python", "data_batch_1")) {
                if (Files.exists(path.resolve(python))) {
                    return "; " + python + " is the version for Python: take the binary version, " + binary;
                }
            }
            return "";
        }

        List<Path> folders(Path path) {
            var unpacked = this == CIFAR10
                    ? Stream.of("", "cifar-10-batches-bin", "cifar10", "cifar10/cifar-10-batches-bin")
                    : Stream.of("", "cifar-100-binary", "cifar100", "cifar100/cifar-100-binary");
            return unpacked.map(path::resolve).toList();
        }

        private List<String> classNames() {
            return this == CIFAR10
                    ? List.of("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
                    : IntStream.range(0, classes).mapToObj(Integer::toString).toList();
        }
    }

    private static final MemoryImages.Format FORMAT = new MemoryImages.Format(3, 32, 32);

    private CifarFiles() {}

    /** Whether the first training file is in one of the usual places. */
    static boolean isIn(Kind kind, Path path) {
        return DataFiles.find(kind.folders(path), List.of(kind.trainFiles().getFirst()))
                .isPresent();
    }

    static DataSplits open(Kind kind, Path path, long limit) {
        List<Path> folders = kind.folders(path);
        DataAdvice advice = kind.advice();
        List<Path> trainFiles = kind.trainFiles().stream()
                .map(name -> DataFiles.require(kind.label, "training images", folders, List.of(name), advice))
                .toList();
        Path testFile = DataFiles.require(kind.label, "test images", folders, List.of(kind.testFile()), advice);
        ImageDataset train = read(kind, Split.TRAIN, trainFiles, limit);
        try {
            return new DataSplits(train, read(kind, Split.TEST, List.of(testFile), limit), List.of());
        } catch (RuntimeException | Error e) {
            train.close();
            throw e;
        }
    }

    private static ImageDataset read(Kind kind, Split split, List<Path> files, long limit) {
        int record = kind.labelBytes + FORMAT.bytes();
        var arena = Arena.ofShared();
        var channels = new ArrayList<FileChannel>();
        try {
            long images = 0;
            for (Path file : files) {
                var channel = FileChannel.open(file, StandardOpenOption.READ);
                channels.add(channel);
                if (channel.size() == 0 || channel.size() % record != 0) {
                    throw new KingfisherException(
                            "%s, byte %d: the file is truncated or not %s: its size is not a multiple of a record's %d bytes"
                                    .formatted(file, channel.size() / record * record, kind.label, record));
                }
                images += channel.size() / record;
                if (images > limit / FORMAT.bytes() || images > Integer.MAX_VALUE) {
                    throw new KingfisherException("%s: %d images are more than the memory limit of %d bytes allows"
                            .formatted(file, images, limit));
                }
            }
            MemorySegment pixels = arena.allocate(images * FORMAT.bytes(), 64);
            MemorySegment labels = arena.allocate(images * Integer.BYTES, 64);
            var buffer = ByteBuffer.allocate(record);
            int index = 0;
            for (int i = 0; i < files.size(); i++) {
                FileChannel channel = channels.get(i);
                for (long offset = 0; offset < channel.size(); offset += record, index++) {
                    readRecord(files.get(i), channel, offset, buffer);
                    int label = buffer.get(kind.labelBytes - 1) & 0xFF;
                    if (label >= kind.classes) {
                        throw new KingfisherException("%s, byte %d: label %d of image %d is outside 0..%d"
                                .formatted(
                                        files.get(i),
                                        offset + kind.labelBytes - 1,
                                        label,
                                        offset / record,
                                        kind.classes - 1));
                    }
                    labels.setAtIndex(ValueLayout.JAVA_INT, index, label);
                    MemorySegment.copy(
                            buffer.array(),
                            kind.labelBytes,
                            pixels,
                            ValueLayout.JAVA_BYTE,
                            (long) index * FORMAT.bytes(),
                            FORMAT.bytes());
                }
            }
            return new MemoryImages(
                    kind.label, split, FORMAT, kind.classNames(), kind.statistics, arena, pixels, labels);
        } catch (IOException e) {
            arena.close();
            throw new KingfisherException("%s: cannot read %s: %s".formatted(kind.label, files, e.getMessage()), e);
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        } finally {
            channels.forEach(CifarFiles::close);
        }
    }

    private static void readRecord(Path file, FileChannel channel, long offset, ByteBuffer buffer) throws IOException {
        buffer.clear();
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, offset + buffer.position()) < 0) {
                throw new KingfisherException(
                        "%s, byte %d: the file ended while it was read".formatted(file, offset + buffer.position()));
            }
        }
    }

    private static void close(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // It was only read from: nothing is lost.
        }
    }
}
