package io.kingfisher.train.report;

import java.util.Map;
import java.util.OptionalDouble;

/**
 * How good a model is on some samples.
 *
 * @param loss the mean loss per sample, or per token in nats
 * @param top1 the share of samples whose best guess is right, in [0, 1]; empty where there are no classes
 * @param top5 the share whose five best guesses hold the right one; empty with fewer classes
 * @param perplexity exp(loss), for language models
 * @param reconstructionError the squared error summed over an image's pixels, in [0, 1] each, and averaged over images, for
 *     autoencoders
 */
public record Scores(
        double loss,
        OptionalDouble top1,
        OptionalDouble top5,
        OptionalDouble perplexity,
        OptionalDouble reconstructionError) {
    /** Scores of a regression: a loss and nothing else. */
    public static Scores ofLoss(double loss) {
        return new Scores(
                loss, OptionalDouble.empty(), OptionalDouble.empty(), OptionalDouble.empty(), OptionalDouble.empty());
    }

    /** Scores of a classifier. */
    public static Scores ofClasses(double loss, double top1, OptionalDouble top5) {
        return new Scores(loss, OptionalDouble.of(top1), top5, OptionalDouble.empty(), OptionalDouble.empty());
    }

    /** Scores of a language model. */
    public static Scores ofTokens(double loss, double top1) {
        return new Scores(
                loss,
                OptionalDouble.of(top1),
                OptionalDouble.empty(),
                OptionalDouble.of(Math.exp(loss)),
                OptionalDouble.empty());
    }

    /** Adds the scores that there are to a record, under keys such as {@code test_top1}. */
    public void putInto(Map<String, Object> record, String prefix) {
        record.put(prefix + "_loss", loss);
        top1.ifPresent(value -> record.put(prefix + "_top1", value));
        top5.ifPresent(value -> record.put(prefix + "_top5", value));
        perplexity.ifPresent(value -> record.put(prefix + "_perplexity", value));
        reconstructionError.ifPresent(value -> record.put(prefix + "_reconstruction_error", value));
    }
}
