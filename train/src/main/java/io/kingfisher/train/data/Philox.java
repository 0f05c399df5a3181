package io.kingfisher.train.data;

/**
 * Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3" (SC 2011). The key is the seed; three of the counter's four words name a stream and the fourth counts the
 * blocks of four numbers drawn from it, so that any number of any stream is had without drawing those before it.
 *
 * <p>Not safe for concurrent use; drawing allocates nothing.
 */
public final class Philox {
    private static final int M0 = 0xD2511F53;
    private static final int M1 = 0xCD9E8D57;
    private static final int W0 = 0x9E3779B9;
    private static final int W1 = 0xBB67AE85;

    private final int key0;
    private final int key1;
    private int block;
    private int stream1;
    private int stream2;
    private int stream3;
    private int used = 4;
    private int out0;
    private int out1;
    private int out2;
    private int out3;

    public Philox(long seed) {
        this.key0 = (int) seed;
        this.key1 = (int) (seed >>> 32);
    }

    /** Moves to the beginning of a stream, named by the counter's upper three words. */
    public Philox at(int word1, int word2, int word3) {
        block = 0;
        stream1 = word1;
        stream2 = word2;
        stream3 = word3;
        used = 4;
        return this;
    }

    /** The next 32 random bits of the stream. */
    public int nextInt() {
        if (used == 4) {
            generate(block++, stream1, stream2, stream3);
            used = 0;
        }
        return switch (used++) {
            case 0 -> out0;
            case 1 -> out1;
            case 2 -> out2;
            default -> out3;
        };
    }

    /** A number in {@code [0, bound)}, each equally likely (Lemire's multiply and reject). {@code bound} is positive. */
    public int nextInt(int bound) {
        long product = (nextInt() & 0xFFFFFFFFL) * bound;
        if ((product & 0xFFFFFFFFL) >= bound) {
            return (int) (product >>> 32);
        }
        long reject = Integer.toUnsignedLong(Integer.remainderUnsigned(-bound, bound));
        while ((product & 0xFFFFFFFFL) < reject) {
            product = (nextInt() & 0xFFFFFFFFL) * bound;
        }
        return (int) (product >>> 32);
    }

    /** A number in {@code [0, 1)} with 24 random bits. */
    public float nextFloat() {
        return (nextInt() >>> 8) * 0x1p-24f;
    }

    private void generate(int c0, int c1, int c2, int c3) {
        int k0 = key0;
        int k1 = key1;
        for (int round = 0; round < 10; round++) {
            long p0 = (M0 & 0xFFFFFFFFL) * (c0 & 0xFFFFFFFFL);
            long p1 = (M1 & 0xFFFFFFFFL) * (c2 & 0xFFFFFFFFL);
            c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
            c1 = (int) p1;
            c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
            c3 = (int) p0;
            k0 += W0;
            k1 += W1;
        }
        out0 = c0;
        out1 = c1;
        out2 = c2;
        out3 = c3;
    }

    /** The four words of one counter value, for the known-answer test. */
    int[] words(int c0, int c1, int c2, int c3) {
        generate(c0, c1, c2, c3);
        used = 4;
        return new int[] {out0, out1, out2, out3};
    }
}
