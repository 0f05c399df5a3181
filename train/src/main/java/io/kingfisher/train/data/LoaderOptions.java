package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;

/**
 * How a {@link DataLoader} makes batches.
 *
 * @param batchSize rows of a batch (N)
 * @param shuffle images: a new permutation every epoch; text: windows at random places instead of one after another
 * @param dropLast leave out the last batch of an epoch where it is not full
 * @param seed of the permutation, the windows and the augmentation
 * @param workers threads that decode and augment; 0: the calling thread does, inside {@link DataLoader#next()}
 * @param buffers batches that exist at once (one with the caller, the others being filled); ignored with 0 workers
 * @param augmentation of images; must be {@link Augmentation#NONE} for text
 */
public record LoaderOptions(
        int batchSize,
        boolean shuffle,
        boolean dropLast,
        long seed,
        int workers,
        int buffers,
        Augmentation augmentation) {
    public LoaderOptions {
        if (batchSize < 1) {
            throw new KingfisherException("mini_batch_size must be at least 1, not " + batchSize);
        }
        if (workers < 0 || workers > 1024) {
            throw new KingfisherException("num_workers must be between 0 and 1024, not " + workers);
        }
        if (buffers < 1 || buffers > 1024) {
            throw new KingfisherException("a loader needs between 1 and 1024 buffers, not " + buffers);
        }
    }

    /** Shuffled, the last partial batch dropped, two workers, three buffers, no augmentation. */
    public static LoaderOptions training(int batchSize, long seed) {
        return new LoaderOptions(batchSize, true, true, seed, 2, 3, Augmentation.NONE);
    }

    /** In order, the last partial batch kept, two workers, three buffers. */
    public static LoaderOptions evaluation(int batchSize) {
        return new LoaderOptions(batchSize, false, false, 0, 2, 3, Augmentation.NONE);
    }

    public LoaderOptions withWorkers(int value) {
        return new LoaderOptions(batchSize, shuffle, dropLast, seed, value, buffers, augmentation);
    }

    public LoaderOptions withBuffers(int value) {
        return new LoaderOptions(batchSize, shuffle, dropLast, seed, workers, value, augmentation);
    }

    public LoaderOptions withShuffle(boolean value) {
        return new LoaderOptions(batchSize, value, dropLast, seed, workers, buffers, augmentation);
    }

    public LoaderOptions withDropLast(boolean value) {
        return new LoaderOptions(batchSize, shuffle, value, seed, workers, buffers, augmentation);
    }

    public LoaderOptions withAugmentation(Augmentation value) {
        return new LoaderOptions(batchSize, shuffle, dropLast, seed, workers, buffers, value);
    }
}
