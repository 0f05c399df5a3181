package io.kingfisher.train.data;

/**
 * A data set with random access. Reads are safe from several threads at once; whoever opens a data set closes it, after
 * the loaders that read it.
 */
public sealed interface Dataset extends AutoCloseable permits ImageDataset, TokenDataset {
    /** What the data set is called in messages, such as {@code mnist}. */
    String name();

    Split split();

    /** Samples in one pass: images, or windows of tokens. */
    int size();

    /** Classes that a target can take: image classes, or the size of the vocabulary. */
    int classes();

    @Override
    void close();
}
