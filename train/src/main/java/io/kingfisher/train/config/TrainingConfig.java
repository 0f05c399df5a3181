package io.kingfisher.train.config;

import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * How long and on what to train.
 *
 * @param loss {@code cross_entropy}, {@code mse}, {@code binary_cross_entropy} or {@code reconstruction}, the cross-entropy of
 *     an image's own pixels
 * @param labelSmoothing share of each label spread over all classes, in [0, 1)
 * @param maxEpochs passes over the training data
 * @param maxSteps where the run ends earlier than that
 * @param trials runs, with consecutive seeds
 * @param seed of every random choice in this run
 * @param earlyStopThreshold the least fall of the training loss that counts as progress; empty where never stopped early
 * @param earlyStopPatience epochs without progress before stopping
 * @param saveEvery epochs between kept checkpoints; 0 keeps only the last and the best
 * @param precision {@code fp32}, {@code tf32}, {@code bf16} or {@code fp16}: in what type products are made
 * @param device where to compute, such as {@code cpu}, or {@code auto}
 * @param threads compute threads; empty for {@code auto}
 * @param winograd whether 3x3 convolutions may be computed by Winograd's algorithm where that is faster, on {@code cpu}
 * @param deterministic whether a run has the same bits every time on a GPU too, as it has on {@code cpu} in any case
 */
public record TrainingConfig(
        String loss,
        double labelSmoothing,
        int maxEpochs,
        OptionalLong maxSteps,
        int trials,
        long seed,
        OptionalDouble earlyStopThreshold,
        int earlyStopPatience,
        int saveEvery,
        String precision,
        String device,
        OptionalInt threads,
        boolean winograd,
        boolean deterministic) {}
