package io.kingfisher.train.data;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** Images that are too large to be held in memory: decoded each time they are read. */
final class StreamedImages implements ImageDataset {
    private final String name;
    private final Split split;
    private final EncodedImages images;
    private final List<String> classNames;
    private final ChannelStatistics statistics;
    private final SharedSource source;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final ThreadLocal<ImageDecoder> decoders = ThreadLocal.withInitial(ImageDecoder::new);

    /** @param source closed with the data set, unless another split still reads from it */
    StreamedImages(
            String name,
            Split split,
            EncodedImages images,
            List<String> classNames,
            ChannelStatistics statistics,
            SharedSource source) {
        this.name = name;
        this.split = split;
        this.images = images;
        this.classNames = classNames;
        this.statistics = statistics;
        this.source = source.retain();
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
        return images.images().size();
    }

    @Override
    public int channels() {
        return images.format().channels();
    }

    @Override
    public int height() {
        return images.format().height();
    }

    @Override
    public int width() {
        return images.format().width();
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
    public void read(int index, byte[] pixels, int offset) {
        images.read(index, decoders.get(), pixels, offset);
    }

    @Override
    public int label(int index) {
        return images.images().get(index).label();
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            source.close();
        }
    }
}
