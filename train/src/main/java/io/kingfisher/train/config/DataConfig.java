package io.kingfisher.train.config;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What to train on and how its samples are prepared.
 *
 * @param dataset the name as written; which names exist is the data loaders' business
 * @param path the folder or file with the data; empty for data sets that are made on the fly
 * @param batchSize samples per step
 * @param shuffle whether every epoch has its own order
 * @param augment random crops and flips of training images
 * @param cutout squares blanked in training images; 0 holes where it is off
 * @param imageSize side to which images from folders are scaled, in pixels; empty leaves them as they are
 * @param trainSize how many samples to make for training, where they are made on the fly; empty for the data set's own
 * @param testSize the same for testing
 * @param workers threads that prepare the data (0: the training thread does); empty for {@code auto}
 * @param text how text is cut into samples
 */
public record DataConfig(
        String dataset,
        Optional<Path> path,
        int batchSize,
        boolean shuffle,
        boolean augment,
        Cutout cutout,
        OptionalInt imageSize,
        OptionalInt trainSize,
        OptionalInt testSize,
        OptionalInt workers,
        Text text) {
    /**
     * Squares set to the mean colour (DeVries and Taylor, 2017).
     *
     * @param holes squares per image, 0 for none
     * @param length their side in pixels
     */
    public record Cutout(int holes, int length) {}

    /**
     * How text is cut into samples.
     *
     * @param tokenizer {@code char}, {@code word} or {@code gpt2}
     * @param context tokens per sample
     * @param split share of the text that is trained on, in (0, 1); the rest is held out
     * @param vocabulary for words, how many of the most frequent are kept; empty keeps all
     */
    public record Text(String tokenizer, int context, double split, OptionalInt vocabulary) {}
}
