package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Factorizations of matrices [... x M x N], leading axes being batches. Each but the triangular solve has an I32 output of
 * the batch's shape last: 0 where it succeeded, else LAPACK's info; the other outputs of a failed one are NaN. An
 * eigendecomposition, a QR or an SVD of a matrix with elements that are not finite is a failure.
 */
public sealed interface LinearAlgebra extends Op {
    /** The lower triangular L of A = L L^T for a symmetric positive definite A [... x N x N], whose lower part is read. */
    record Cholesky() implements LinearAlgebra {
        @Override
        public List<Type> infer(List<Type> inputs) {
            return List.of(square(inputs.get(0), "Cholesky"), info(inputs.get(0)));
        }

        @Override
        public List<Value> vjp(Node node, List<Value> gradients) {
            Value l = node.output(0), dl = gradients.get(0);
            if (dl == null) {
                return Collections.singletonList(null);
            }
            // Murray, Differentiation of the Cholesky decomposition (2016), eq. 10.
            Value inner = l.matmul(dl, true, false).mul(triangle(l.graph(), l.dtype(), (int) l.dim(-1), 0.5));
            Value left = solve(l, inner, true);
            Value both = solve(l, left.t(), true);
            return List.of(both.add(both.t()).mul(0.5));
        }
    }

    /** X of op(A) X = B for a lower triangular A [... x N x N] and B [... x N x K]; op transposes where asked. */
    record TriangularSolve(boolean transpose) implements LinearAlgebra {
        @Override
        public List<Type> infer(List<Type> inputs) {
            Type a = square(inputs.get(0), "A triangular solve"), b = inputs.get(1);
            Shape shape = b.shape();
            if (shape.rank() != a.shape().rank()
                    || shape.dim(-2) != a.shape().dim(-1)
                    || !shape.slice(0, shape.rank() - 2).equals(a.shape().slice(0, shape.rank() - 2))
                    || b.dtype() != a.dtype()) {
                throw new KingfisherException(
                        "A triangular solve takes A [... x N x N] and B [... x N x K] of one type," + " not " + inputs
                                + ".");
            }
            return List.of(b);
        }

        @Override
        public List<Value> vjp(Node node, List<Value> gradients) {
            Value a = node.input(0), x = node.output(0), dx = gradients.get(0);
            if (dx == null) {
                return Arrays.asList(null, null);
            }
            Value db = solve(a, dx, !transpose);
            Value da = transpose ? x.matmul(db, false, true) : db.matmul(x, false, true);
            return List.of(
                    da.mul(triangle(a.graph(), a.dtype(), (int) a.dim(-1), 1)).neg(), db);
        }
    }

    /** Eigenvalues [... x N], ascending, and eigenvectors (columns) of a symmetric A, whose lower part is read. */
    record Eigh() implements LinearAlgebra {
        @Override
        public List<Type> infer(List<Type> inputs) {
            Type a = square(inputs.get(0), "An eigendecomposition");
            Shape values = a.shape().slice(0, a.shape().rank() - 1);
            return List.of(new Type(a.dtype(), values), a, info(a));
        }

        @Override
        public List<Value> vjp(Node node, List<Value> gradients) {
            Value w = node.output(0), v = node.output(1), dw = gradients.get(0), dv = gradients.get(1);
            if (dw == null && dv == null) {
                return Collections.singletonList(null);
            }
            int n = (int) w.dim(-1);
            Graph g = w.graph();
            Value eye = g.iota(DType.I32, n)
                    .reshape(n, 1)
                    .equalTo(g.iota(DType.I32, n))
                    .cast(w.dtype());
            Value inner = null;
            if (dw != null) {
                inner = LayerNorm.column(dw).mul(eye);
            }
            if (dv != null) {
                Expr gap = Expr.arg(1).sub(Expr.arg(0));
                // The gap of the diagonal is replaced, not only its quotient: no derivative may divide by it either.
                Expr safe = Expr.select(Expr.arg(2), Expr.of(1), gap);
                Expr weight = Expr.select(Expr.arg(2), Expr.of(0), Expr.arg(3)).div(safe);
                Value row = w.reshape(w.shape().slice(0, w.rank() - 1).concat(Shape.of(1, n)));
                Value turned =
                        g.map(weight, w.dtype(), List.of(LayerNorm.column(w), row, eye, v.matmul(dv, true, false)));
                inner = inner == null ? turned : inner.add(turned);
            }
            Value da = v.matmul(inner).matmul(v, false, true);
            return List.of(da.add(da.t()).mul(0.5));
        }
    }

    /** Q [... x M x K] with orthonormal columns and upper triangular R [... x K x N], K = min(M, N), of A = Q R. */
    record Qr() implements LinearAlgebra {
        @Override
        public List<Type> infer(List<Type> inputs) {
            Type a = matrix(inputs.get(0), "QR");
            long k = Math.min(a.shape().dim(-2), a.shape().dim(-1));
            return List.of(
                    new Type(a.dtype(), a.shape().with(-1, k)),
                    new Type(a.dtype(), a.shape().with(-2, k)),
                    info(a));
        }

        @Override
        public List<Value> vjp(Node node, List<Value> gradients) {
            throw noGradient("QR", node);
        }
    }

    /** U [... x M x K], singular values [... x K], descending, and V^T [... x K x N], K = min(M, N), of A = U S V^T. */
    record Svd() implements LinearAlgebra {
        @Override
        public List<Type> infer(List<Type> inputs) {
            Type a = matrix(inputs.get(0), "An SVD");
            long k = Math.min(a.shape().dim(-2), a.shape().dim(-1));
            Shape batch = a.shape().slice(0, a.shape().rank() - 2);
            return List.of(
                    new Type(a.dtype(), a.shape().with(-1, k)),
                    new Type(a.dtype(), batch.concat(Shape.of(k))),
                    new Type(a.dtype(), a.shape().with(-2, k)),
                    info(a));
        }

        @Override
        public List<Value> vjp(Node node, List<Value> gradients) {
            throw noGradient("the SVD", node);
        }
    }

    /** {@link TriangularSolve} recorded. */
    static Value solve(Value lower, Value b, boolean transpose) {
        return lower.graph().add(new TriangularSolve(transpose), lower, b).output(0);
    }

    private static Value triangle(Graph g, DType dtype, int n, double diagonal) {
        Value rows = g.iota(DType.I32, n).reshape(n, 1), columns = g.iota(DType.I32, n);
        Expr r = Expr.arg(0), c = Expr.arg(1);
        return g.map(c.lessThan(r).add(c.equalTo(r).mul(diagonal)), dtype, List.of(rows, columns));
    }

    private static Type matrix(Type a, String what) {
        if (a.shape().rank() < 2 || !(a.dtype() == DType.F32 || a.dtype() == DType.F64)) {
            throw new KingfisherException(what + " takes F32 or F64 matrices [... x M x N], not " + a + ".");
        }
        return a;
    }

    private static Type square(Type a, String what) {
        if (matrix(a, what).shape().dim(-1) != a.shape().dim(-2)) {
            throw new KingfisherException(what + " takes square matrices [... x N x N], not " + a + ".");
        }
        return a;
    }

    private static Type info(Type a) {
        return new Type(DType.I32, a.shape().slice(0, a.shape().rank() - 2));
    }

    private static KingfisherException noGradient(String what, Node node) {
        return new KingfisherException("There is no gradient of " + what + " (at " + node
                + "); detach its input or use Cholesky or the symmetric eigendecomposition.");
    }
}
