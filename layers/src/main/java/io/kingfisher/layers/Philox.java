package io.kingfisher.layers;

import java.nio.charset.StandardCharsets;

/**
 * Philox 4x32-10 (Salmon et al., SC 2011) on the host, for initial values: a function of the seed, a name and the place in
 * the sequence alone, the same on every machine. The key is the seed; the counter is the block's number (64 bits) and the
 * name's hash (64 bits).
 */
public final class Philox {
    private static final int MULTIPLIER_0 = 0xD2511F53, MULTIPLIER_1 = 0xCD9E8D57;
    private static final int WEYL_0 = 0x9E3779B9, WEYL_1 = 0xBB67AE85;

    private final long seed;
    private final long stream;
    private final int[] block = new int[4];
    private long next;
    private int used = 4;

    Philox(long seed, String name) {
        this.seed = seed;
        this.stream = hash(name);
    }

    /** FNV-1a over the UTF-8 bytes. */
    private static long hash(String name) {
        long hash = 0xcbf29ce484222325L;
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        return hash;
    }

    /** The next 32 random bits. */
    int word() {
        if (used == 4) {
            block(next++, stream, seed, block);
            used = 0;
        }
        return block[used++];
    }

    /** The next number of a uniform distribution on [0, 1), a multiple of 2^-24. */
    public double uniform() {
        return (word() >>> 8) * 0x1p-24;
    }

    /** Standard normal numbers in every element (Box and Muller). */
    public void normal(double[] values) {
        for (int i = 0; i < values.length; i += 2) {
            double radius = StrictMath.sqrt(-2 * StrictMath.log(((word() >>> 8) + 1) * 0x1p-24));
            double angle = 2 * Math.PI * uniform();
            values[i] = radius * StrictMath.cos(angle);
            if (i + 1 < values.length) {
                values[i + 1] = radius * StrictMath.sin(angle);
            }
        }
    }

    /** Four words for the counter {low, high} (least significant half first) and a key. */
    static void block(long low, long high, long key, int[] out) {
        int c0 = (int) low, c1 = (int) (low >>> 32), c2 = (int) high, c3 = (int) (high >>> 32);
        int k0 = (int) key, k1 = (int) (key >>> 32);
        for (int round = 0; round < 10; round++) {
            long p0 = (MULTIPLIER_0 & 0xffffffffL) * (c0 & 0xffffffffL);
            long p1 = (MULTIPLIER_1 & 0xffffffffL) * (c2 & 0xffffffffL);
            int n0 = (int) (p1 >>> 32) ^ c1 ^ k0;
            int n2 = (int) (p0 >>> 32) ^ c3 ^ k1;
            c1 = (int) p1;
            c3 = (int) p0;
            c0 = n0;
            c2 = n2;
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
        out[0] = c0;
        out[1] = c1;
        out[2] = c2;
        out[3] = c3;
    }
}
