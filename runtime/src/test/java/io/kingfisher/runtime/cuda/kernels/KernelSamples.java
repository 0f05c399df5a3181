package io.kingfisher.runtime.cuda.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.kernels.KernelEngine.Elementwise;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import io.kingfisher.runtime.graph.Attention;
import io.kingfisher.runtime.graph.AttentionGrad;
import io.kingfisher.runtime.graph.BatchNorm;
import io.kingfisher.runtime.graph.BatchNormGrad;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Expr.BinaryOp;
import io.kingfisher.runtime.graph.Expr.UnaryOp;
import io.kingfisher.runtime.graph.Gather;
import io.kingfisher.runtime.graph.LayerNorm;
import io.kingfisher.runtime.graph.LayerNormGrad;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Op;
import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.Pool.Window;
import io.kingfisher.runtime.graph.Random;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.ScatterAdd;
import io.kingfisher.runtime.graph.Softmax;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropy;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Every written kernel in every type and variant, and a broad sample of generated ones. */
final class KernelSamples {
    private static final Expr X = Expr.arg(0), Y = Expr.arg(1), Z = Expr.arg(2);

    private final KernelEngine engine;
    private final Set<KernelCode> codes = new LinkedHashSet<>();

    private KernelSamples(KernelEngine engine) {
        this.engine = engine;
    }

    static Collection<KernelCode> codes(KernelEngine engine) {
        KernelSamples samples = new KernelSamples(engine);
        for (DType dtype : List.of(DType.F32, DType.F64, DType.BF16, DType.F16)) {
            samples.written(dtype);
            samples.generated(dtype);
        }
        samples.updates();
        return samples.codes;
    }

    private void add(KernelPlan plan) {
        plan.launches().forEach(launch -> codes.add(launch.code()));
    }

    private void op(Op op, Type... types) {
        List<Type> inputs = List.of(types);
        add(engine.plan(
                op,
                inputs.stream().map(View::of).toList(),
                op.infer(inputs).stream().map(View::of).toList()));
    }

    private void written(DType t) {
        add(engine.mirror(t, 70, 1));
        for (long width : new long[] {64, 4096}) {
            Type x = Type.of(t, 512, width), d = Type.of(t, width), r = Type.of(t, 512);
            op(new Softmax(), x);
            op(new SoftmaxCrossEntropy(0.1, -1), x, Type.of(DType.I32, 512));
            op(new LayerNorm(1e-5), x, d, d);
            op(new LayerNormGrad(), x, d, r, r, x);
        }
        // The most columns that a thread has.
        long widest = t == DType.F64 ? 4096 : 8192;
        Type x = Type.of(t, 512, widest), d = Type.of(t, widest), r = Type.of(t, 512);
        op(new LayerNormGrad(), x, d, r, r, x);
        if (t != DType.F64) {
            for (long columns : new long[] {16, 64, 128}) {
                Type q = Type.of(t, 2, 3, 100, columns), sums = Type.of(DType.F32, 2, 3, 100);
                op(new Attention(0.125, true), q, q, q);
                op(new AttentionGrad(new Attention(0.125, true)), q, q, q, q, sums, q);
            }
        }
        op(new Gather(), x, Type.of(DType.I32, 7));
        op(new ScatterAdd(9), Type.of(DType.I32, 7), Type.of(t, 7, 5));
        for (Window window : List.of(Window.of(2, 2, 0), Window.of(3, 2, 1))) {
            Type image = Type.of(t, 8, 64, 32, 32);
            op(new Pool.MaxPool2d(window), image);
            op(new Pool.AvgPool2d(window), image);
        }
        Shape shape = Shape.of(8, 64, 32, 32);
        View plain = View.of(new Type(t, shape)), channel = View.of(Type.of(t, 64));
        View last = new View(t, shape, List.of(65536L, 1L, 2048L, 64L), 0);
        for (View view : List.of(plain, last)) {
            for (boolean fused : new boolean[] {false, true}) {
                List<View> in = new ArrayList<>(List.of(view, channel, channel));
                List<View> back = new ArrayList<>(List.of(view, channel, channel, channel, view));
                List<View> gradients = new ArrayList<>(List.of(view, channel, channel));
                if (fused) {
                    in.add(view);
                    back.add(view);
                    gradients.add(view);
                }
                add(engine.batchNorm(new BatchNorm(1e-5), fused, fused, in, List.of(view, channel, channel)));
                add(engine.batchNormGrad(new BatchNormGrad(1e-5), fused, fused, back, gradients));
            }
        }
        for (Random.Distribution distribution : Random.Distribution.values()) {
            op(new Random(distribution, 0, Shape.of(100)), Type.of(DType.I32, 4));
        }
        op(new Movement.Transpose(List.of(1, 0)), Type.of(t, 64, 64));
        op(new Movement.Pad(List.of(1L), List.of(1L)), Type.of(t, 64));
        op(new Movement.Concat(0), Type.of(t, 64), Type.of(t, 3));
    }

    private void generated(DType t) {
        Type x = Type.of(t, 1000), image = Type.of(t, 8, 64, 33, 32), channel = Type.of(t, 64, 1, 1);
        // Halves are computed with as F32 is.
        for (UnaryOp op : t.half() ? new UnaryOp[0] : UnaryOp.values()) {
            op(map(Expr.unary(op, X), t), x);
        }
        for (BinaryOp op : t.half() ? new BinaryOp[0] : BinaryOp.values()) {
            op(map(Expr.binary(op, X, Y), t), x, x);
        }
        op(map(Expr.select(X.lessThan(Y), X, Y), t), image, channel);
        op(map(X.mul(Y).add(Z), t), image, channel, channel);
        for (DType other : DType.values()) {
            op(map(X, other), x);
        }
        Expr gelu = X.mul(0.5).mul(X.mul(Math.sqrt(0.5)).erf().add(1));
        op(map(gelu, t), x);
        op(map(X.mul(Y.sigmoid()).tanh().exp().log().softplus(), t), image, channel);
        for (Reduce.Kind kind : t.half() ? new Reduce.Kind[] {Reduce.Kind.SUM} : Reduce.Kind.values()) {
            op(new Reduce(kind, List.of(0, 2, 3)), image);
            op(new Reduce(kind, List.of(1)), Type.of(t, 1000, 7));
            op(new Reduce(kind, List.of(1)), Type.of(t, 10, 70000));
            op(new Reduce(kind, List.of(0)), Type.of(t, 70000, 40));
        }
        View view = View.of(Type.of(t, 1 << 20)), scalar = View.of(Type.of(t));
        List<Reduce.Kind> kinds = List.of(Reduce.Kind.SUM, Reduce.Kind.SUM, Reduce.Kind.MAX);
        List<Expr> exprs = List.of(X.mul(Y), X.square(), X.sub(Y).abs().pow(1.5));
        add(engine.reduce(
                exprs, kinds, view.shape(), List.of(0), List.of(view, view), List.of(scalar, scalar, scalar)));
    }

    private static Map map(Expr expr, DType dtype) {
        return new Map(List.of(expr), List.of(dtype), null);
    }

    /** Adam's update of two parameters, one with a gradient in halves. */
    private void updates() {
        List<Elementwise> all = new ArrayList<>();
        for (DType t : List.of(DType.F32, DType.BF16)) {
            View gradient = View.of(Type.of(t, 1 << 16)), state = View.of(Type.of(DType.F32, 1 << 16));
            View scalar = View.of(Type.of(DType.F32));
            Expr m = Y.mul(0.9).add(X.mul(0.1)), v = Z.mul(0.999).add(X.square().mul(0.001));
            Expr p = Expr.arg(3)
                    .sub(m.div(v.sqrt().add(1e-8)).add(Expr.arg(3).mul(0.01)).mul(Expr.arg(4)));
            all.add(new Elementwise(
                    List.of(m, v, p), List.of(gradient, state, state, state, scalar), List.of(state, state, state)));
        }
        add(engine.together(all));
    }
}
