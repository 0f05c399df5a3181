package io.kingfisher.train.data;

/**
 * The order of the samples in each epoch, handed out batch by batch: the natural one, or a permutation drawn by the
 * forward Fisher-Yates shuffle from (seed, epoch), advanced only as far as it has been asked for.
 */
final class EpochOrder {
    private final int size;
    private final boolean shuffle;
    private final Philox random;
    private final int[] permutation;
    private int drawn;

    EpochOrder(int size, boolean shuffle, long seed) {
        this.size = size;
        this.shuffle = shuffle;
        this.random = new Philox(seed);
        this.permutation = shuffle ? new int[size] : new int[0];
    }

    /** Goes to a position of an epoch. */
    void begin(int epoch, int position) {
        drawn = 0;
        if (shuffle) {
            random.at(0, epoch, RandomStreams.SHUFFLE);
            for (int i = 0; i < size; i++) {
                permutation[i] = i;
            }
            while (drawn < position) {
                next();
            }
        } else {
            drawn = position;
        }
    }

    /** The next sample of the epoch. */
    int next() {
        int i = drawn++;
        if (!shuffle) {
            return i;
        }
        int j = i + random.nextInt(size - i);
        int sample = permutation[j];
        permutation[j] = permutation[i];
        permutation[i] = sample;
        return sample;
    }
}
