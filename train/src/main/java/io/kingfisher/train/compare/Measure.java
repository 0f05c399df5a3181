package io.kingfisher.train.compare;

import java.util.List;

/**
 * What runs are compared by.
 *
 * @param key in the records of evaluations
 * @param name as readers know it
 * @param more whether more is better
 * @param scale what it is multiplied by to be shown
 * @param digits behind the point
 */
public record Measure(String key, String name, boolean more, double scale, int digits) {
    static final Measure ACCURACY = new Measure("test_top1", "test accuracy (%)", true, 100, 2);
    static final Measure TRAIN_ACCURACY = new Measure("train_top1", "training accuracy (%)", true, 100, 2);
    static final Measure PERPLEXITY = new Measure("test_perplexity", "test perplexity", false, 1, 2);
    static final Measure ERROR = new Measure("test_reconstruction_error", "test squared error", false, 1, 3);
    static final Measure TRAIN_ERROR = new Measure("train_reconstruction_error", "training squared error", false, 1, 3);
    static final Measure LOSS = new Measure("test_loss", "test loss", false, 1, 4);
    static final Measure TRAIN_LOSS = new Measure("train_loss", "training loss", false, 1, 4);

    /** All that a record may have, the one that ranks methods first. */
    static List<Measure> of(ComparedMethod method) {
        return List.of(ERROR, PERPLEXITY, ACCURACY, LOSS, TRAIN_LOSS, TRAIN_ACCURACY, TRAIN_ERROR).stream()
                .filter(measure -> method.at(0, measure.key()).size() > 0)
                // Of a language model the perplexity says what the accuracy says.
                .filter(measure ->
                        measure != ACCURACY || method.at(0, PERPLEXITY.key()).size() == 0)
                .toList();
    }
}
