package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Images decoded once and held off-heap as U8 [N,C,H,W], with I32 labels. */
final class MemoryImages implements ImageDataset {
    /** The size of one image; at most 2^26 values. */
    record Format(int channels, int height, int width) {
        static final int MOST_VALUES = 1 << 26;

        Format {
            boolean empty = channels < 1 || height < 1 || width < 1;
            if (empty || (double) channels * height * width > MOST_VALUES) {
                throw new KingfisherException("images of %d channels, %d rows and %d columns are %s"
                        .formatted(
                                channels, height, width, empty ? "empty" : "larger than " + MOST_VALUES + " values"));
            }
        }

        int bytes() {
            return channels * height * width;
        }
    }

    private final String name;
    private final Split split;
    private final Format format;
    private final int bytes;
    private final List<String> classNames;
    private final ChannelStatistics statistics;
    private final int size;
    private final Arena arena;
    private final MemorySegment pixels;
    private final MemorySegment labels;

    /**
     * @param arena shared; owned by the data set from here on
     * @param pixels U8 [N,C,H,W]
     * @param labels I32 [N], each in {@code [0, classNames.size())}
     */
    MemoryImages(
            String name,
            Split split,
            Format format,
            List<String> classNames,
            ChannelStatistics statistics,
            Arena arena,
            MemorySegment pixels,
            MemorySegment labels) {
        this.name = name;
        this.split = split;
        this.format = format;
        this.bytes = format.bytes();
        this.classNames = List.copyOf(classNames);
        this.statistics = statistics;
        this.size = Math.toIntExact(labels.byteSize() / Integer.BYTES);
        this.arena = arena;
        this.pixels = pixels;
        this.labels = labels;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Split split() {
        return split;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public int channels() {
        return format.channels();
    }

    @Override
    public int height() {
        return format.height();
    }

    @Override
    public int width() {
        return format.width();
    }

    @Override
    public List<String> classNames() {
        return classNames;
    }

    @Override
    public float[] mean() {
        return statistics.mean();
    }

    @Override
    public float[] std() {
        return statistics.std();
    }

    @Override
    public void read(int index, byte[] target, int offset) {
        MemorySegment.copy(pixels, ValueLayout.JAVA_BYTE, (long) index * bytes, target, offset, bytes);
    }

    @Override
    public int label(int index) {
        return labels.getAtIndex(ValueLayout.JAVA_INT, index);
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
