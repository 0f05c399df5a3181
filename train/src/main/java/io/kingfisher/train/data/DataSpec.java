package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Which data set to open.
 *
 * @param name one of {@link Datasets#names()}, in any case, with or without hyphens ({@code CIFAR10})
 * @param path the folder, zip or text file that holds it; empty for glyphs
 * @param seed of what is made up: another seed is another set of glyphs (not another order of the same ones)
 * @param trainSize glyphs to train on
 * @param testSize glyphs to test on
 * @param imageSize the side to which the images of a folder or zip are scaled (shorter side) and cropped (centre); 0:
 *     all must have the same size already
 * @param text how text becomes tokens
 * @param memoryLimit bytes of decoded images of one split to hold off-heap; beyond it images of a folder or zip are
 *     decoded each time they are read, and other formats are refused
 */
public record DataSpec(
        String name,
        Optional<Path> path,
        long seed,
        int trainSize,
        int testSize,
        int imageSize,
        TextOptions text,
        long memoryLimit) {
    public DataSpec {
        if (trainSize < 1 || testSize < 1) {
            throw new KingfisherException("the numbers of glyphs to train and test on must be at least 1, not %d and %d"
                    .formatted(trainSize, testSize));
        }
        if (imageSize < 0 || imageSize > 8192) {
            throw new KingfisherException(
                    "the image size must be between 1 and 8192 pixels (0: as they are), not " + imageSize);
        }
        if (memoryLimit < 0) {
            throw new KingfisherException("the memory limit must not be negative: " + memoryLimit);
        }
    }

    /** A data set by its name, with everything else as usual: 20,000 and 4,000 glyphs, up to 4 GiB per split. */
    public static DataSpec of(String name) {
        return new DataSpec(
                name, Optional.empty(), 0, Glyphs.TRAIN_SIZE, Glyphs.TEST_SIZE, 0, TextOptions.DEFAULT, 4L << 30);
    }

    public DataSpec withPath(Path value) {
        return new DataSpec(name, Optional.of(value), seed, trainSize, testSize, imageSize, text, memoryLimit);
    }

    public DataSpec withSeed(long value) {
        return new DataSpec(name, path, value, trainSize, testSize, imageSize, text, memoryLimit);
    }

    public DataSpec withSizes(int train, int test) {
        return new DataSpec(name, path, seed, train, test, imageSize, text, memoryLimit);
    }

    public DataSpec withImageSize(int value) {
        return new DataSpec(name, path, seed, trainSize, testSize, value, text, memoryLimit);
    }

    public DataSpec withText(TextOptions value) {
        return new DataSpec(name, path, seed, trainSize, testSize, imageSize, value, memoryLimit);
    }

    public DataSpec withMemoryLimit(long bytes) {
        return new DataSpec(name, path, seed, trainSize, testSize, imageSize, text, bytes);
    }
}
