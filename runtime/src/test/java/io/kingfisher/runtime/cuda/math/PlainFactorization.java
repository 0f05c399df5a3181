package io.kingfisher.runtime.cuda.math;

import io.kingfisher.nativebindings.cblas.Cblas;
import io.kingfisher.nativebindings.cblas.generated.cblas_h;
import io.kingfisher.nativebindings.lapacke.Lapacke;
import io.kingfisher.nativebindings.lapacke.generated.lapacke_h;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.math.MathLibraries.Factorization;
import io.kingfisher.runtime.graph.LinearAlgebra;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Factorizations in double precision: Cholesky's by a loop, the others by LAPACK, row-major. */
final class PlainFactorization {
    private static final int ROWS = lapacke_h.LAPACK_ROW_MAJOR();

    private final LinearAlgebra op;
    private final DType dtype;
    private final int m;
    private final int n;
    private final int k;
    private final int right;
    private final int batch;

    PlainFactorization(Factorization f) {
        Shape a = f.operands().getFirst();
        this.op = f.op();
        this.dtype = f.dtype();
        this.m = a.size(-2);
        this.n = a.size(-1);
        this.k = Math.min(m, n);
        this.right = f.operands().getLast().size(-1);
        this.batch = Math.toIntExact(a.elements() / ((long) m * n));
    }

    /** The number of operands and results. */
    int addresses() {
        return switch (op) {
            case LinearAlgebra.Cholesky _, LinearAlgebra.TriangularSolve _ -> 3;
            case LinearAlgebra.Eigh _, LinearAlgebra.Qr _ -> 4;
            case LinearAlgebra.Svd _ -> 5;
        };
    }

    void run(long[] at) {
        for (int b = 0; b < batch; b++) {
            double[] a = HostNumbers.read(dtype, at[0] + (long) b * m * n * dtype.bytes(), (long) m * n);
            if (op instanceof LinearAlgebra.TriangularSolve(boolean transpose)) {
                long shift = (long) b * n * right * dtype.bytes();
                double[] x = HostNumbers.read(dtype, at[1] + shift, (long) n * right);
                HostNumbers.write(dtype, at[2] + shift, solve(a, x, transpose));
                continue;
            }
            double[][] parts = switch (op) {
                case LinearAlgebra.Cholesky _ -> new double[][] {a};
                case LinearAlgebra.Eigh _ -> new double[][] {new double[n], a};
                case LinearAlgebra.Qr _ -> new double[][] {new double[m * k], new double[k * n]};
                default -> new double[][] {new double[m * k], new double[k], new double[k * n]};
            };
            int info = factorize(a, parts);
            for (int part = 0; part < parts.length; part++) {
                if (info != 0) {
                    Arrays.fill(parts[part], Double.NaN);
                }
                HostNumbers.write(dtype, at[part + 1] + (long) b * parts[part].length * dtype.bytes(), parts[part]);
            }
            HostNumbers.write(at[parts.length + 1] + 4L * b, info);
        }
    }

    private int factorize(double[] a, double[][] parts) {
        if (op instanceof LinearAlgebra.Cholesky) {
            return cholesky(a);
        }
        if (op instanceof LinearAlgebra.Eigh) {
            for (int i = 0; i < n; i++) {
                Arrays.fill(a, i * n + i + 1, i * n + n, 0);
            }
        }
        if (!Arrays.stream(a).allMatch(Double::isFinite)) {
            return 1;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment matrix = segment(arena, a);
            return switch (op) {
                case LinearAlgebra.Eigh _ -> {
                    MemorySegment values = segment(arena, parts[0]);
                    int info = Lapacke.dsyevd(ROWS, 'V', 'L', n, matrix, n, values);
                    copy(values, parts[0]);
                    copy(matrix, a);
                    yield info;
                }
                case LinearAlgebra.Qr _ -> qr(arena, matrix, parts);
                default -> {
                    MemorySegment u = segment(arena, parts[0]), s = segment(arena, parts[1]);
                    MemorySegment vt = segment(arena, parts[2]);
                    int info = Lapacke.dgesdd(ROWS, 'S', m, n, matrix, n, s, u, k, vt, n);
                    copy(u, parts[0]);
                    copy(s, parts[1]);
                    copy(vt, parts[2]);
                    yield info;
                }
            };
        }
    }

    private int qr(Arena arena, MemorySegment matrix, double[][] parts) {
        MemorySegment tau = arena.allocate(ValueLayout.JAVA_DOUBLE, k);
        int info = Lapacke.dgeqrf(ROWS, m, n, matrix, n, tau);
        for (int i = 0; i < k; i++) {
            for (int j = i; j < n; j++) {
                parts[1][i * n + j] = matrix.getAtIndex(ValueLayout.JAVA_DOUBLE, (long) i * n + j);
            }
        }
        info = info == 0 ? Lapacke.dorgqr(ROWS, m, k, k, matrix, n, tau) : info;
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < k; j++) {
                parts[0][i * k + j] = matrix.getAtIndex(ValueLayout.JAVA_DOUBLE, (long) i * n + j);
            }
        }
        return info;
    }

    /** In place; the order of the first minor that is not positive, or 0. */
    private int cholesky(double[] a) {
        for (int j = 0; j < n; j++) {
            for (int i = j; i < n; i++) {
                double rest = a[i * n + j];
                for (int l = 0; l < j; l++) {
                    rest -= a[i * n + l] * a[j * n + l];
                }
                if (i == j && !(rest > 0)) {
                    return j + 1;
                }
                a[i * n + j] = i == j ? Math.sqrt(rest) : rest / a[j * n + j];
            }
            Arrays.fill(a, j * n + j + 1, j * n + n, 0);
        }
        return 0;
    }

    private double[] solve(double[] a, double[] b, boolean transpose) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment x = segment(arena, b);
            int op = transpose ? cblas_h.CblasTrans() : cblas_h.CblasNoTrans();
            int rows = cblas_h.CblasRowMajor(), left = cblas_h.CblasLeft(), lower = cblas_h.CblasLower();
            int diagonal = cblas_h.CblasNonUnit();
            Cblas.dtrsm(rows, left, lower, op, diagonal, n, right, 1.0, segment(arena, a), n, x, right);
            copy(x, b);
            return b;
        }
    }

    private static MemorySegment segment(Arena arena, double[] values) {
        return arena.allocateFrom(ValueLayout.JAVA_DOUBLE, values);
    }

    private static void copy(MemorySegment from, double[] to) {
        MemorySegment.copy(from, ValueLayout.JAVA_DOUBLE, 0, to, 0, to.length);
    }
}
