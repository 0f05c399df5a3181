package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.List;

/**
 * The embedded data set: hand-written looking digits, 28x28 grey, drawn on the fly from stroke templates. Image
 * {@code index} of a split depends on nothing but (seed, split, index). An image is drawn the first time it is read and
 * kept off-heap after that.
 */
public final class Glyphs implements ImageDataset {
    /** Images of the training split by default. */
    public static final int TRAIN_SIZE = 20_000;

    /** Images of the test split by default. */
    public static final int TEST_SIZE = 4_000;

    private static final List<String> CLASSES = List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");
    private static final int PIXELS = GlyphPainter.SIDE * GlyphPainter.SIDE;
    private static final VarHandle DRAWN = ValueLayout.JAVA_INT.varHandle();

    private final Split split;
    private final long seed;
    private final int size;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment pixels;
    private final MemorySegment drawn;

    /** The default number of images, of seed 0. */
    public Glyphs(Split split) {
        this(split, 0, split == Split.TRAIN ? TRAIN_SIZE : TEST_SIZE);
    }

    /**
     * @param seed another seed is another data set, not another order of the same one
     * @param size at least 1
     */
    public Glyphs(Split split, long seed, int size) {
        if (size < 1) {
            throw new KingfisherException("glyphs: the number of images must be at least 1, not " + size);
        }
        this.split = split;
        this.seed = seed;
        this.size = size;
        this.pixels = arena.allocate((long) size * PIXELS, 64);
        this.drawn = arena.allocate(4L * size, 64);
    }

    @Override
    public String name() {
        return "glyphs";
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
        return 1;
    }

    @Override
    public int height() {
        return GlyphPainter.SIDE;
    }

    @Override
    public int width() {
        return GlyphPainter.SIDE;
    }

    @Override
    public List<String> classNames() {
        return CLASSES;
    }

    /** Measured over the training images of seed 0, as is {@link #std()}. */
    @Override
    public float[] mean() {
        return new float[] {0.1155f};
    }

    @Override
    public float[] std() {
        return new float[] {0.2286f};
    }

    @Override
    public void read(int index, byte[] target, int offset) {
        long start = (long) index * PIXELS;
        if ((int) DRAWN.getAcquire(drawn, 4L * index) == 0) {
            var random = new Philox(seed).at(index, split.ordinal(), RandomStreams.GLYPH);
            new GlyphPainter().paint(label(index), random, target, offset);
            // Two threads may draw the same image at once: both write the same bytes.
            MemorySegment.copy(target, offset, pixels, ValueLayout.JAVA_BYTE, start, PIXELS);
            DRAWN.setRelease(drawn, 4L * index, 1);
        } else {
            MemorySegment.copy(pixels, ValueLayout.JAVA_BYTE, start, target, offset, PIXELS);
        }
    }

    @Override
    public int label(int index) {
        return index % CLASSES.size();
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
