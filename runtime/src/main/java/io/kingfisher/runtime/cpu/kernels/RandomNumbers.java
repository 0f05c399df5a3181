package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.graph.Random;

/** Random numbers by Philox 4x32-10: every block of four words depends on its number alone. */
final class RandomNumbers {
    private static final int ROUNDS = 10;
    private static final long MULTIPLIER_0 = 0xD2511F53L;
    private static final long MULTIPLIER_1 = 0xCD9E8D57L;
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;

    private RandomNumbers() {}

    static Kernel kernel(Workers workers, Random op) {
        long count = op.shape().elements(), blocks = (count + 3) / 4;
        int work = op.distribution() == Random.Distribution.NORMAL ? 400 : 60;
        int parts = MapStep.parts(workers, blocks * work);
        return at -> {
            long state = at[0], to = at[1];
            Workers.Task task = part -> fill(op, state, to, blocks * part / parts, blocks * (part + 1) / parts, count);
            return () -> workers.run(task, parts);
        };
    }

    private static void fill(Random op, long state, long to, long from, long end, long count) {
        int seed0 = Memory.i32(state), seed1 = Memory.i32(state + 4);
        int step0 = Memory.i32(state + 8), step1 = Memory.i32(state + 12);
        for (long block = from; block < end; block++) {
            int c0 = (int) block, c1 = op.stream(), c2 = step0, c3 = step1;
            int k0 = seed0, k1 = seed1;
            for (int round = 0; round < ROUNDS; round++) {
                long first = MULTIPLIER_0 * (c0 & 0xffffffffL);
                long second = MULTIPLIER_1 * (c2 & 0xffffffffL);
                c0 = (int) (second >>> 32) ^ c1 ^ k0;
                c1 = (int) second;
                c2 = (int) (first >>> 32) ^ c3 ^ k1;
                c3 = (int) first;
                k0 += WEYL_0;
                k1 += WEYL_1;
            }
            long at = to + 16 * block;
            int left = (int) Math.min(4, count - 4 * block);
            pair(op.distribution(), at, c0, c1, left);
            if (left > 2) {
                pair(op.distribution(), at + 8, c2, c3, left - 2);
            }
        }
    }

    /** The numbers that two words become, or only the first where one is left. */
    private static void pair(Random.Distribution distribution, long at, int w0, int w1, int left) {
        float first, second;
        switch (distribution) {
            case UNIFORM -> {
                first = (w0 >>> 8) * 0x1p-24f;
                second = (w1 >>> 8) * 0x1p-24f;
            }
            case RADEMACHER -> {
                first = 1 - 2 * (w0 & 1);
                second = 1 - 2 * (w1 & 1);
            }
            case NORMAL -> {
                double radius = Math.sqrt(-2 * StrictMath.log(((w0 >>> 8) + 1) * 0x1p-24));
                // The nearest quarter turn, then an angle of at most pi / 4 from there.
                int turn = w1 >>> 8, quarter = turn + (1 << 21) >> 22;
                double angle = 2 * Math.PI * (turn - (quarter << 22)) * 0x1p-24;
                double c = StrictMath.cos(angle), s = StrictMath.sin(angle);
                boolean swap = (quarter & 1) != 0;
                double cos = swap ? -s : c, sin = swap ? c : s;
                double sign = (quarter & 2) != 0 ? -radius : radius;
                first = (float) (sign * cos);
                second = (float) (sign * sin);
            }
            default -> throw new IllegalStateException("no distribution " + distribution);
        }
        Memory.f32(at, first);
        if (left > 1) {
            Memory.f32(at + 4, second);
        }
    }
}
