package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;

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
        layers(specs, t, random);
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

    /** What libraries fuse with products: biases, activations, their slopes and the biases' gradients. */
    private static void layers(List<Spec> specs, DType t, SplittableRandom random) {
        Operand x = Operand.random(random, t, 2, 3, 6), x1 = Operand.random(random, t, 1, 6);
        for (int hidden : new int[] {16, 5}) {
            Operand w1 = Operand.random(random, t, hidden, 6), b1 = Operand.random(random, t, hidden);
            Operand w2 = Operand.random(random, t, hidden, 3), b2 = Operand.random(random, t, 3);
            for (Operand rows : List.of(x, x1)) {
                specs.add(Spec.smooth(
                        "linear layers with a ReLU between",
                        Tolerance.SUM,
                        (_, v) -> layers(v, Value::relu),
                        rows,
                        w1,
                        b1,
                        w2,
                        b2));
                specs.add(Spec.smooth(
                        "linear layers with GELU by a hyperbolic tangent between",
                        Tolerance.SUM,
                        (_, v) -> layers(v, MatMulSpecs::gelu),
                        rows,
                        w1,
                        b1,
                        w2,
                        b2));
            }
            // Somebody else reads what is before the activation, or asks it for its sign.
            specs.add(Spec.several(
                            "linear layer before and behind GELU",
                            Tolerance.SUM,
                            (_, v) -> {
                                Value before = linear(v.get(0), v.get(1), v.get(2));
                                return List.of(gelu(before).matmul(v.get(3)), before.square(), before);
                            },
                            x1,
                            w1,
                            b1,
                            w2)
                    .upTo(1));
            specs.add(Spec.several(
                            "linear layer before and behind a ReLU",
                            Tolerance.SUM,
                            (_, v) -> {
                                Value before = linear(v.get(0), v.get(1), v.get(2));
                                return List.of(before.relu().matmul(v.get(3)), before.square());
                            },
                            x1,
                            w1,
                            b1,
                            w2)
                    .upTo(1));
            specs.add(Spec.smooth(
                            "linear layer with a ReLU and no bias",
                            Tolerance.SUM,
                            (_, v) -> v.get(0)
                                    .reshape(6, 6)
                                    .matmul(v.get(1), false, true)
                                    .relu()
                                    .matmul(v.get(2))
                                    .add(v.get(3)),
                            x,
                            w1,
                            w2,
                            b2)
                    .upTo(1));
        }
        // A slope of 0 at 0, and NaN stays NaN in both directions.
        double inf = Double.POSITIVE_INFINITY;
        Operand special = Operand.of(t, Shape.of(5, 2), 0, 0, -0.0, 0, Double.NaN, 1, inf, 1, -inf, 1);
        Operand identity = Operand.of(t, Shape.of(2, 2), 1, 0, 0, 1), zero = Operand.of(t, Shape.of(2), 0, 0);
        specs.add(Spec.smooth(
                        "linear layer with a ReLU at 0, NaN and infinity",
                        Tolerance.SUM,
                        (_, v) -> linear(v.get(0), v.get(1), v.get(2)).relu().matmul(v.get(1)),
                        special,
                        identity,
                        zero)
                .upTo(1));
    }

    private static Value linear(Value x, Value w, Value b) {
        return x.matmul(w, false, true).add(b);
    }

    /** Two layers of rows, the activation between them with the rows' own axes. */
    private static Value layers(List<Value> v, UnaryOperator<Value> activation) {
        Value x = v.get(0);
        Value wide = linear(x.reshape(x.shape().elements() / 6, 6), v.get(1), v.get(2));
        long hidden = wide.dim(-1);
        Value active = activation.apply(wide.reshape(x.shape().with(-1, hidden)));
        return active.reshape(-1, hidden).matmul(v.get(3)).add(v.get(4));
    }

    private static Value gelu(Value x) {
        Expr e = Expr.arg(0);
        Expr inner = e.add(e.mul(e).mul(e).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
        return x.map(e.mul(0.5).mul(inner.tanh().add(1)));
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
