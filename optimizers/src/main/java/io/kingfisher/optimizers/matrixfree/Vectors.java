package io.kingfisher.optimizers.matrixfree;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Value;
import java.util.List;

/** Arithmetic of vectors in F32 with scalars and sums in F64, since what solvers look at are small differences of sums. */
final class Vectors {
    private Vectors() {}

    /** The inner product, an F64 scalar. */
    static Value dot(Value a, Value b) {
        return a.graph()
                .map(Expr.arg(0).mul(Expr.arg(1)), DType.F64, List.of(a.cast(DType.F64), b.cast(DType.F64)))
                .sum();
    }

    /** x + s y, for an F64 scalar s. */
    static Value plus(Value x, Value s, Value y) {
        Expr sum = Expr.arg(0).add(Expr.arg(1).mul(Expr.arg(2)));
        return x.graph().map(sum, DType.F32, List.of(x, s, y));
    }

    /** s x, for an F64 scalar s. */
    static Value times(Value s, Value x) {
        return x.graph().map(Expr.arg(0).mul(Expr.arg(1)), DType.F32, List.of(s, x));
    }

    /** a / b, and 0 where b is 0; F64 scalars. */
    static Value quotient(Value a, Value b) {
        Expr zero = Expr.arg(1).equalTo(Expr.of(0)), safe = Expr.select(zero, Expr.of(1), Expr.arg(1));
        return a.graph().map(Expr.select(zero, Expr.of(0), Expr.arg(0).div(safe)), a, b);
    }

    static double item(Program program, String name) {
        return program.output(name).item();
    }
}
