package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Matrix products: all transpositions, shapes down to one and nothing, batches that broadcast, and what is fused with them. */
final class MatMulSpecs {
    private MatMulSpecs() {}

    static List<Spec> specs(DType t) {
        SplittableRandom random = new SplittableRandom(4);
        List<Spec> specs = new ArrayList<>();
        int[][] sizes = {
            {3, 5, 7}, {1, 1, 1}, {1, 5, 1}, {4, 1, 3}, {17, 33, 9}, {5, 1, 1}, {0, 3, 2}, {2, 0, 3}, {2, 3, 0}
        };
        for (int[] size : sizes) {
            for (int transposes = 0; transposes < 4; transposes++) {
                add(specs, t, random, size, transposes, new long[0], new long[0]);
            }
        }
        long[][][] batches = {
            {{3}, {3}},
            {{3}, {}},
            {{}, {3}},
            {{1}, {3}},
            {{3}, {1}},
            {{2, 3}, {2, 3}},
            {{2, 1}, {3}},
            {{2, 1}, {1, 3}},
            {{2, 3}, {}},
            {{0}, {1}}
        };
        for (long[][] batch : batches) {
            for (int transposes = 0; transposes < 4; transposes++) {
                add(specs, t, random, new int[] {2, 3, 4}, transposes, batch[0], batch[1]);
            }
        }
        specs.add(Spec.smooth(
                        "matmul",
                        Tolerance.SUM,
                        (_, v) -> v.get(0).matmul(v.get(1)),
                        Operand.random(random, t, 65, 513),
                        Operand.random(random, t, 513, 67))
                .upTo(1));
        Operand x = Operand.random(random, t, 5, 6),
                w = Operand.random(random, t, 4, 6),
                b = Operand.random(random, t, 4);
        specs.add(Spec.smooth(
                "linear layer",
                Tolerance.SUM,
                (_, v) -> v.get(0).matmul(v.get(1), false, true).add(v.get(2)).relu(),
                x,
                w,
                b));
        specs.add(Spec.smooth("gram matrix", Tolerance.SUM, (_, v) -> v.get(0).matmul(v.get(0), true, false), x));
        specs.add(Spec.smooth(
                        "gram matrix of rows",
                        Tolerance.SUM,
                        (_, v) -> v.get(0).matmul(v.get(0), false, true),
                        Operand.random(random, t, 70, 9))
                .upTo(1));
        specs.add(Spec.smooth(
                        "gram matrix of one column",
                        Tolerance.SUM,
                        (_, v) -> v.get(0).matmul(v.get(0), true, false),
                        Operand.random(random, t, 33, 1))
                .upTo(1));
        specs.add(Spec.smooth(
                "matmul of a transpose",
                Tolerance.SUM,
                (_, v) -> v.get(0)
                        .t()
                        .reshape(3, 2, 5)
                        .transpose(1, 2, 0)
                        .matmul(v.get(0).reshape(2, 3, 5)),
                x));
        Operand q = Operand.random(random, t, 2, 3, 5, 4), k = Operand.random(random, t, 2, 3, 5, 4);
        specs.add(Spec.smooth(
                "attention",
                Tolerance.SUM,
                (_, v) -> v.get(0)
                        .matmul(v.get(1), false, true)
                        .mul(0.5)
                        .softmax()
                        .matmul(v.get(1)),
                q,
                k));
        return specs;
    }

    private static void add(
            List<Spec> specs,
            DType t,
            SplittableRandom random,
            int[] size,
            int transposes,
            long[] batchA,
            long[] batchB) {
        boolean ta = (transposes & 1) != 0, tb = (transposes & 2) != 0;
        Operand a = Operand.random(random, t, concat(batchA, ta ? size[1] : size[0], ta ? size[0] : size[1]));
        Operand b = Operand.random(random, t, concat(batchB, tb ? size[2] : size[1], tb ? size[1] : size[2]));
        String name = "matmul" + (ta ? " first transposed" : "") + (tb ? " second transposed" : "");
        specs.add(Spec.smooth(name, Tolerance.SUM, (_, v) -> v.get(0).matmul(v.get(1), ta, tb), a, b));
    }

    static long[] concat(long[] batch, long... more) {
        long[] result = java.util.Arrays.copyOf(batch, batch.length + more.length);
        System.arraycopy(more, 0, result, batch.length, more.length);
        return result;
    }
}
