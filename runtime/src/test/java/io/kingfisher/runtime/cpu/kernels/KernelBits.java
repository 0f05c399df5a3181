package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Expr.UnaryOp;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Prints what kernels run on and a number that changes when any bit of their results does. */
final class KernelBits {
    private KernelBits() {}

    public static void main(String[] args) {
        try (KernelEngine engine = new KernelEngine(2)) {
            System.out.println(engine.report());
            System.out.println(hash(engine));
        }
    }

    static int hash(KernelEngine engine) {
        int n = 20_011;
        Buf x = Buf.of(DType.F32, n);
        for (int i = 0; i < n; i++) {
            x.set(i, Math.tan(i) * 3);
        }
        View view = View.of(Type.of(DType.F32, n));
        List<Expr> exprs = new ArrayList<>();
        for (UnaryOp op : UnaryOp.values()) {
            exprs.add(Expr.unary(op, Expr.arg(0)));
        }
        int hash = 0;
        for (Expr expr : exprs) {
            Buf y = Buf.of(DType.F32, n);
            engine.map(List.of(expr), List.of(DType.F32), Shape.of(n), List.of(view))
                    .bind(x.address(), y.address())
                    .run();
            hash = 31 * hash + Arrays.hashCode(y.all());
        }
        ReduceKernel sum = engine.reduce(
                List.of(Expr.arg(0).tanh()),
                List.of(Reduce.Kind.SUM),
                List.of(DType.F32),
                Shape.of(n),
                List.of(0),
                List.of(view));
        Buf total = Buf.of(DType.F32, 1);
        Buf scratch = Buf.of(DType.F64, (int) sum.scratchBytes() / 8);
        sum.bind(x.address(), total.address(), scratch.address()).run();
        return 31 * hash + Double.hashCode(total.get(0));
    }
}
