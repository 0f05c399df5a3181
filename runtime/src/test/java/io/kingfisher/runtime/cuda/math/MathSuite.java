package io.kingfisher.runtime.cuda.math;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.math.MathLibraries.Attention;
import io.kingfisher.runtime.cuda.math.MathLibraries.Conv;
import io.kingfisher.runtime.cuda.math.MathLibraries.Epilogue;
import io.kingfisher.runtime.cuda.math.MathLibraries.Pass;
import io.kingfisher.runtime.cuda.math.MathLibraries.Precision;
import io.kingfisher.runtime.cuda.math.MathLibraries.Product;
import io.kingfisher.runtime.cuda.math.MathLibraries.SelfProduct;
import io.kingfisher.runtime.cuda.math.MathLibraries.Use;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Conv2d;
import io.kingfisher.runtime.graph.Conv2dInputGrad;
import io.kingfisher.runtime.graph.Conv2dWeightGrad;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Checks mathematical libraries, on host memory, against the reference device. */
final class MathSuite {
    private final MathLibraries libraries;
    private final SplittableRandom random = new SplittableRandom(3);

    private final HostCall.Memory memory;

    /** @param memory where operands and results lie, null for anywhere */
    MathSuite(MathLibraries libraries, HostCall.Memory memory) {
        this.libraries = libraries;
        this.memory = memory;
    }

    /** Numbers on (-1, 1) that TF32, and so every floating type but BF16, can hold. */
    double[] numbers(DType dtype, long count) {
        double[] result = new double[Math.toIntExact(count)];
        for (int i = 0; i < result.length; i++) {
            double x = 2 * random.nextDouble() - 1;
            result[i] = dtype == DType.F64 ? x : Math.rint(x * 64) / 64;
        }
        return result;
    }

    static double tolerance(DType dtype) {
        return switch (dtype) {
            case F64 -> 1e-12;
            case F32 -> 2e-6;
            default -> 1.0 / 100;
        };
    }

    static void same(String what, DType dtype, double[] want, double[] got) {
        assertEquals(want.length, got.length, what);
        double largest = 1e-30;
        for (double w : want) {
            largest = Double.isFinite(w) ? Math.max(largest, Math.abs(w)) : largest;
        }
        for (int i = 0; i < want.length; i++) {
            double error = Math.abs(want[i] - got[i]);
            assertTrue(
                    error <= tolerance(dtype) * largest || Double.isNaN(want[i]) && Double.isNaN(got[i]),
                    what + ": " + got[i] + " at " + i + " where the reference has " + want[i]);
        }
    }

    /** A graph of one node or some, in double precision on the reference device. */
    @FunctionalInterface
    interface Recipe {
        List<Value> record(Graph graph, List<Value> operands);
    }

    static List<double[]> reference(List<Shape> shapes, List<double[]> operands, Recipe recipe) {
        try (Device device = Device.open("reference")) {
            Graph graph = new Graph();
            List<Value> inputs = new ArrayList<>();
            for (int i = 0; i < shapes.size(); i++) {
                inputs.add(graph.input("x" + i, DType.F64, shapes.get(i).toArray()));
            }
            List<Value> results = recipe.record(graph, inputs);
            for (int i = 0; i < results.size(); i++) {
                graph.output("y" + i, results.get(i));
            }
            Program program = device.compile(graph);
            for (int i = 0; i < shapes.size(); i++) {
                program.input("x" + i).write(operands.get(i));
            }
            program.replay();
            List<double[]> got = new ArrayList<>();
            for (int i = 0; i < results.size(); i++) {
                got.add(program.output("y" + i).doubles());
            }
            return got;
        }
    }

    void products(DType t, Precision precision) {
        int[][] sizes = {{3, 5, 7}, {1, 1, 1}, {1, 5, 1}, {4, 1, 3}, {17, 33, 9}, {5, 1, 1}, {1, 6, 8}, {8, 16, 24}};
        for (int[] size : sizes) {
            for (int transposes = 0; transposes < 4; transposes++) {
                for (Epilogue epilogue : epilogues(t)) {
                    for (int batch : epilogue == Epilogue.NONE ? new int[] {1, 3} : new int[] {1}) {
                        for (int shared = 0; shared < (batch == 1 ? 1 : 3); shared++) {
                            long m = size[0], n = size[1], k = size[2];
                            boolean ta = (transposes & 1) != 0, tb = (transposes & 2) != 0;
                            long sa = shared == 1 ? 0 : m * k, sb = shared == 2 ? 0 : k * n;
                            Product p = new Product(t, precision, ta, tb, m, n, k, batch, sa, sb, epilogue);
                            if (libraries.has(p)) {
                                product(p);
                                if (t.half() && (epilogue == Epilogue.NONE || epilogue == Epilogue.BIAS)) {
                                    product(wide(p));
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private List<Epilogue> epilogues(DType t) {
        return Arrays.stream(Epilogue.values())
                .filter(e -> libraries.has(new Product(t, Precision.FP32, false, false, 8, 8, 8, 1, 64, 64, e)))
                .toList();
    }

    void product(Product p) {
        long b = p.batch();
        Shape shapeA =
                Shape.of(p.strideA() == 0 ? 1 : b, p.transposeA() ? p.k() : p.m(), p.transposeA() ? p.m() : p.k());
        Shape shapeB =
                Shape.of(p.strideB() == 0 ? 1 : b, p.transposeB() ? p.n() : p.k(), p.transposeB() ? p.k() : p.n());
        double[] x = numbers(p.dtype(), shapeA.elements()), y = numbers(p.dtype(), shapeB.elements());
        if (p.epilogue().auxiliary() != Use.NONE || p.epilogue().bias() == Use.WRITTEN) {
            bothPasses(p, shapeA, shapeB);
            return;
        }
        DType t = p.result();
        double[] bias = numbers(t, p.n());
        double[] want = reference(List.of(shapeA, shapeB, Shape.of(p.n())), List.of(x, y, bias), (_, v) -> {
                    Value c = v.get(0).matmul(v.get(1), p.transposeA(), p.transposeB());
                    return List.of(activated(p.epilogue(), p.epilogue().bias() == Use.READ ? c.add(v.get(2)) : c));
                })
                .getFirst();
        try (HostCall host = new HostCall(memory)) {
            host.operand(p.dtype(), x).operand(p.dtype(), y);
            if (p.epilogue().bias() == Use.READ) {
                host.operand(t, bias);
            }
            host.result((long) want.length * t.bytes()).run(libraries.product(p));
            same(p.toString(), t, want, host.read(p.epilogue().bias() == Use.READ ? 3 : 2, t, want.length));
        }
    }

    private static Value activated(Epilogue epilogue, Value x) {
        return switch (epilogue) {
            case RELU, RELU_BIAS, RELU_AUX, RELU_AUX_BIAS, DRELU, DRELU_BGRAD -> x.relu();
            case GELU, GELU_BIAS, GELU_AUX, GELU_AUX_BIAS, DGELU, DGELU_BGRAD -> {
                Value inner = x.add(x.mul(x).mul(x).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
                yield x.mul(0.5).mul(inner.tanh().add(1));
            }
            default -> x;
        };
    }

    /**
     * A product that leaves something for the backward pass, and one that uses it: whatever the case asks for, its partner is
     * computed too. Sums over factors stand alone.
     */
    private void bothPasses(Product p, Shape shapeA, Shape shapeB) {
        DType t = p.dtype();
        Epilogue e = p.epilogue();
        boolean alone = e.auxiliary() == Use.NONE, backward = e.auxiliary() == Use.READ;
        Epilogue forward = !backward
                ? e
                : e == Epilogue.DRELU || e == Epilogue.DRELU_BGRAD ? Epilogue.RELU_AUX_BIAS : Epilogue.GELU_AUX_BIAS;
        List<Shape> shapes = List.of(shapeA, shapeB, Shape.of(p.n()), shapeA, shapeB);
        List<double[]> operands =
                shapes.stream().map(s -> numbers(t, s.elements())).toList();
        int side = p.transposeA() ? -2 : -1, other = p.transposeB() ? -1 : -2;
        List<double[]> want = reference(shapes, operands, (_, v) -> {
            Value c = v.get(0).matmul(v.get(1), p.transposeA(), p.transposeB());
            if (alone) {
                return List.of(
                        c, e == Epilogue.BGRAD_A ? v.get(0).sum(side) : v.get(1).sum(other));
            }
            Value before = forward == Epilogue.RELU_AUX || forward == Epilogue.GELU_AUX ? c : c.add(v.get(2));
            Value after = activated(forward, before);
            Value dy = v.get(3).matmul(v.get(4), p.transposeA(), p.transposeB());
            Value dx =
                    Autodiff.vjp(List.of(after), List.of(dy), List.of(before)).getFirst();
            return List.of(after, dx, dx.sum(0, 1));
        });
        long bytes = p.m() * p.n() * t.bytes();
        try (HostCall first = new HostCall(memory);
                HostCall second = new HostCall(memory)) {
            first.operand(t, operands.get(0)).operand(t, operands.get(1));
            if (alone) {
                first.result(bytes).result((e == Epilogue.BGRAD_A ? p.m() : p.n()) * t.bytes());
                first.run(libraries.product(p));
                same(p.toString(), t, want.get(0), first.read(2, t, want.get(0).length));
                same(p + " sums", t, want.get(1), first.read(3, t, want.get(1).length));
                return;
            }
            int biased = forward.bias() == Use.READ ? 1 : 0;
            if (biased == 1) {
                first.operand(t, operands.get(2));
            }
            Product one = with(p, forward);
            first.result(bytes).result(one.auxiliaryBytes()).run(libraries.product(one));
            same(one.toString(), t, want.get(0), first.read(2 + biased, t, want.get(0).length));
            if (backward) {
                second.operand(t, operands.get(3)).operand(t, operands.get(4)).shared(first, 3 + biased);
                second.result(bytes);
                if (e.bias() == Use.WRITTEN) {
                    second.result(p.n() * t.bytes());
                }
                second.run(libraries.product(p));
                same(p.toString(), t, want.get(1), second.read(3, t, want.get(1).length));
                if (e.bias() == Use.WRITTEN) {
                    same(p + " sums", t, want.get(2), second.read(4, t, want.get(2).length));
                }
            }
        }
    }

    /** The same with a result in F32. */
    private static Product wide(Product p) {
        return new Product(
                p.dtype(),
                DType.F32,
                p.precision(),
                p.transposeA(),
                p.transposeB(),
                p.m(),
                p.n(),
                p.k(),
                p.batch(),
                p.strideA(),
                p.strideB(),
                p.epilogue());
    }

    private static Product with(Product p, Epilogue epilogue) {
        return new Product(
                p.dtype(),
                p.precision(),
                p.transposeA(),
                p.transposeB(),
                p.m(),
                p.n(),
                p.k(),
                p.batch(),
                p.strideA(),
                p.strideB(),
                epilogue);
    }

    /** The lower triangles; what is above stays as it was. */
    void selfProducts(DType t) {
        for (int[] size : new int[][] {{1, 1}, {5, 3}, {3, 7}, {16, 8}}) {
            for (int batch : new int[] {1, 3}) {
                for (boolean first : new boolean[] {false, true}) {
                    long n = size[0], k = size[1];
                    SelfProduct p = new SelfProduct(t, first, n, k, batch);
                    Shape shape = first ? Shape.of(batch, k, n) : Shape.of(batch, n, k);
                    double[] a = numbers(t, shape.elements());
                    double[] want = reference(
                                    List.of(shape),
                                    List.of(a),
                                    (_, v) -> List.of(v.get(0).matmul(v.get(0), first, !first)))
                            .getFirst();
                    for (int i = 0; i < want.length; i++) {
                        want[i] = i % n > i / n % n ? Double.NaN : want[i];
                    }
                    try (HostCall host = new HostCall(memory)) {
                        host.operand(t, a)
                                .result((long) want.length * t.bytes())
                                .run(libraries.selfProduct(p));
                        same(p.toString(), t, want, host.read(1, t, want.length));
                    }
                }
            }
        }
    }

    void convolutions(DType t, Precision precision) {
        // Image N, C, H, W; weight O, C/groups, KH, KW; strides, paddings, dilations; groups.
        int[][] cases = {
            {2, 3, 5, 7, 4, 3, 3, 3, 1, 1, 0, 0, 1, 1, 1},
            {2, 3, 5, 7, 4, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1},
            {2, 3, 7, 8, 5, 3, 3, 2, 2, 3, 2, 0, 1, 1, 1},
            {1, 2, 9, 8, 3, 2, 2, 3, 2, 1, 0, 3, 3, 2, 1},
            {2, 4, 5, 5, 6, 2, 3, 3, 1, 1, 1, 1, 1, 1, 2},
            {2, 4, 6, 5, 8, 1, 3, 3, 2, 2, 1, 1, 1, 1, 4},
            {3, 5, 5, 4, 7, 5, 1, 1, 2, 2, 0, 0, 1, 1, 1},
            {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1},
        };
        for (int[] c : cases) {
            Convolution window = new Convolution(c[8], c[9], c[10], c[11], c[12], c[13], c[14]);
            Shape image = Shape.of(c[0], c[1], c[2], c[3]), weight = Shape.of(c[4], c[5], c[6], c[7]);
            for (Pass pass : Pass.values()) {
                for (boolean last : new boolean[] {false, true}) {
                    convolution(new Conv(pass, t, precision, window, image, weight, last, !last));
                }
            }
        }
    }

    void convolution(Conv c) {
        Shape x = c.image(), w = c.weight(), y = c.geometry().output(x, w);
        List<Shape> shapes = switch (c.pass()) {
            case FORWARD -> List.of(x, w);
            case INPUT_GRADIENT -> List.of(y, w);
            case WEIGHT_GRADIENT -> List.of(x, y);
        };
        List<double[]> operands =
                shapes.stream().map(s -> numbers(c.dtype(), s.elements())).toList();
        Shape[] result = new Shape[1];
        double[] want = reference(shapes, operands, (g, v) -> {
                    Value r = g.add(
                                    switch (c.pass()) {
                                        case FORWARD -> new Conv2d(c.geometry());
                                        case INPUT_GRADIENT -> new Conv2dInputGrad(c.geometry(), x);
                                        case WEIGHT_GRADIENT -> new Conv2dWeightGrad(c.geometry(), w);
                                    },
                                    v)
                            .output(0);
                    result[0] = r.shape();
                    return List.of(r);
                })
                .getFirst();
        try (HostCall host = new HostCall(memory)) {
            for (int i = 0; i < 2; i++) {
                host.operand(c.dtype(), c.channelsLast() ? last(operands.get(i), shapes.get(i)) : operands.get(i));
            }
            host.result((long) want.length * c.dtype().bytes()).run(libraries.convolution(c));
            double[] got = host.read(2, c.dtype(), want.length);
            same(c.toString(), c.dtype(), c.channelsLast() ? last(want, result[0]) : want, got);
        }
    }

    /** From N C H W to N H W C. */
    private static double[] last(double[] x, Shape s) {
        double[] y = new double[x.length];
        long c = s.dim(1), plane = s.dim(2) * s.dim(3);
        for (int i = 0; i < x.length; i++) {
            long n = i / (c * plane), channel = i / plane % c, place = i % plane;
            y[(int) ((n * plane + place) * c + channel)] = x[i];
        }
        return y;
    }

    void attentions(DType t) {
        int[][] cases = {{1, 1, 1, 1, 1}, {2, 3, 5, 5, 4}, {1, 2, 7, 3, 8}, {2, 1, 3, 9, 16}, {1, 2, 33, 33, 8}};
        for (int[] c : cases) {
            for (boolean causal : new boolean[] {false, true}) {
                attention(new Attention(t, c[0], c[1], c[2], c[3], c[4], 0.7 / Math.sqrt(c[4]), causal));
            }
        }
    }

    private void attention(Attention a) {
        if (!libraries.has(a)) {
            return;
        }
        Shape queries = Shape.of(a.batch(), a.heads(), a.queries(), a.width());
        Shape keys = Shape.of(a.batch(), a.heads(), a.keys(), a.width());
        List<Shape> shapes = List.of(queries, keys, keys, queries);
        List<double[]> operands =
                shapes.stream().map(s -> numbers(a.dtype(), s.elements())).toList();
        List<double[]> want = reference(shapes, operands, (g, v) -> {
            Value scores = v.get(0).matmul(v.get(1), false, true).mul(a.scale());
            if (a.causal()) {
                Value rows = g.iota(DType.I32, (int) a.queries()).reshape(a.queries(), 1);
                Value columns = g.iota(DType.I32, (int) a.keys());
                scores = scores.add(rows.lessThan(columns).cast(DType.F64).mul(-1e30));
            }
            Value out = scores.softmax().matmul(v.get(2));
            Value largest = scores.reduce(io.kingfisher.runtime.graph.Reduce.Kind.MAX, true, -1);
            Value lse = scores.sub(largest).exp().sum(-1).log().add(largest.reshape(a.batch(), a.heads(), a.queries()));
            List<Value> results = new ArrayList<>(List.of(out, lse));
            results.addAll(Autodiff.vjp(List.of(out), List.of(v.get(3)), v.subList(0, 3)));
            return results;
        });
        Map<String, double[]> got = new LinkedHashMap<>();
        try (HostCall host = new HostCall(memory)) {
            for (int i = 0; i < 3; i++) {
                host.operand(a.dtype(), operands.get(i));
            }
            host.result(queries.elements() * a.dtype().bytes());
            host.result(8L * want.get(1).length).run(libraries.attention(a));
            got.put("output", host.read(3, a.dtype(), queries.elements()));
            got.put("log-sum-exp", host.read(4, a.dtype().computeType(), want.get(1).length));
            host.operand(a.dtype(), operands.get(3));
            for (Shape shape : shapes.subList(0, 3)) {
                host.result(shape.elements() * a.dtype().bytes());
            }
            host.run(libraries.attentionGradient(a));
            for (int i = 6; i < 9; i++) {
                got.put(
                        "gradient " + (i - 6),
                        host.read(i, a.dtype(), shapes.get(i - 6).elements()));
            }
        }
        int i = 0;
        for (var entry : got.entrySet()) {
            same(a + " " + entry.getKey(), a.dtype(), want.get(i++), entry.getValue());
        }
    }
}
