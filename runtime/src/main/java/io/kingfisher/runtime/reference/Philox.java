package io.kingfisher.runtime.reference;

import io.kingfisher.runtime.graph.Random;

/** Philox 4x32-10 (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011). */
final class Philox {
    private static final int ROUNDS = 10;
    private static final long MULTIPLIER_0 = 0xD2511F53L;
    private static final long MULTIPLIER_1 = 0xCD9E8D57L;
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;

    private Philox() {}

    /** The four words of the block with a counter of four words under a key of two. */
    static int[] block(int[] counter, int[] key) {
        int c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
        int k0 = key[0], k1 = key[1];
        for (int round = 0; round < ROUNDS; round++) {
            long first = MULTIPLIER_0 * Integer.toUnsignedLong(c0);
            long second = MULTIPLIER_1 * Integer.toUnsignedLong(c2);
            c0 = (int) (second >>> 32) ^ c1 ^ k0;
            c1 = (int) second;
            c2 = (int) (first >>> 32) ^ c3 ^ k1;
            c3 = (int) first;
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
        return new int[] {c0, c1, c2, c3};
    }

    static double[] draw(Random op, double[] state) {
        double[] y = Movements.zeros(op.shape());
        int[] key = {(int) state[0], (int) state[1]};
        for (int from = 0; from < y.length; from += 4) {
            int[] words = block(new int[] {from / 4, op.stream(), (int) state[2], (int) state[3]}, key);
            for (int i = 0; i < Math.min(4, y.length - from); i++) {
                y[from + i] = number(op.distribution(), words, i);
            }
        }
        return y;
    }

    private static double number(Random.Distribution distribution, int[] words, int i) {
        return switch (distribution) {
            case UNIFORM -> (words[i] >>> 8) * 0x1p-24;
            case RADEMACHER -> (words[i] & 1) != 0 ? -1 : 1;
            case NORMAL -> {
                int pair = i & ~1;
                double radius = Math.sqrt(-2 * Math.log(((words[pair] >>> 8) + 1) * 0x1p-24));
                double angle = 2 * Math.PI * (words[pair + 1] >>> 8) * 0x1p-24;
                yield radius * (i == pair ? Math.cos(angle) : Math.sin(angle));
            }
        };
    }
}
