package io.kingfisher.runtime.cpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.kingfisher.nativebindings.cblas.Cblas;
import io.kingfisher.nativebindings.cblas.generated.cblas_h;
import io.kingfisher.nativebindings.lapacke.Lapacke;
import io.kingfisher.nativebindings.lapacke.generated.lapacke_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** LAPACK's routines by columns in one of the two precisions. Workspaces are the caller's. */
enum Lapack {
    SINGLE,
    DOUBLE;

    private static final int COLUMNS = lapacke_h.LAPACK_COL_MAJOR();

    boolean single() {
        return this == SINGLE;
    }

    int bytes() {
        return single() ? Float.BYTES : Double.BYTES;
    }

    /** A call of a routine with a workspace of the given length in elements. */
    private interface Query {
        void run(MemorySegment work, MemorySegment iwork);
    }

    /** The lengths of the best workspaces: what a routine writes when asked with a length of -1. */
    private int[] lengths(Query query) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment work = arena.allocate(64), iwork = arena.allocate(64);
            query.run(work, iwork);
            double best = single() ? work.get(JAVA_FLOAT, 0) : work.get(JAVA_DOUBLE, 0);
            // A float may have rounded a long workspace down.
            return new int[] {(int) Math.ceil(best * (single() ? 1 + 1e-6 : 1)), iwork.get(JAVA_INT, 0)};
        }
    }

    int potrf(int n, MemorySegment a) {
        return single() ? Lapacke.spotrf_work(COLUMNS, 'U', n, a, n) : Lapacke.dpotrf_work(COLUMNS, 'U', n, a, n);
    }

    /** X of op(A) X = B by rows, A lower triangular; B becomes X. */
    void trsm(boolean transpose, int n, int k, MemorySegment a, MemorySegment b) {
        int op = transpose ? cblas_h.CblasTrans() : cblas_h.CblasNoTrans();
        int rows = cblas_h.CblasRowMajor(), left = cblas_h.CblasLeft(), lower = cblas_h.CblasLower();
        int diagonal = cblas_h.CblasNonUnit();
        if (single()) {
            Cblas.strsm(rows, left, lower, op, diagonal, n, k, 1f, a, n, b, k);
        } else {
            Cblas.dtrsm(rows, left, lower, op, diagonal, n, k, 1.0, a, n, b, k);
        }
    }

    int[] syevdLengths(int n) {
        return lengths((work, iwork) -> {
            MemorySegment none = work;
            if (single()) {
                Lapacke.ssyevd_work(COLUMNS, 'V', 'U', n, none, n, none, work, -1, iwork, -1);
            } else {
                Lapacke.dsyevd_work(COLUMNS, 'V', 'U', n, none, n, none, work, -1, iwork, -1);
            }
        });
    }

    int syevd(int n, MemorySegment a, MemorySegment w, MemorySegment work, int lwork, MemorySegment iwork, int liwork) {
        return single()
                ? Lapacke.ssyevd_work(COLUMNS, 'V', 'U', n, a, n, w, work, lwork, iwork, liwork)
                : Lapacke.dsyevd_work(COLUMNS, 'V', 'U', n, a, n, w, work, lwork, iwork, liwork);
    }

    int[] geqrfLengths(int m, int n) {
        return lengths((work, _) -> {
            if (single()) {
                Lapacke.sgeqrf_work(COLUMNS, m, n, work, m, work, work, -1);
            } else {
                Lapacke.dgeqrf_work(COLUMNS, m, n, work, m, work, work, -1);
            }
        });
    }

    int geqrf(int m, int n, MemorySegment a, MemorySegment tau, MemorySegment work, int lwork) {
        return single()
                ? Lapacke.sgeqrf_work(COLUMNS, m, n, a, m, tau, work, lwork)
                : Lapacke.dgeqrf_work(COLUMNS, m, n, a, m, tau, work, lwork);
    }

    int[] orgqrLengths(int m, int k) {
        return lengths((work, _) -> {
            if (single()) {
                Lapacke.sorgqr_work(COLUMNS, m, k, k, work, m, work, work, -1);
            } else {
                Lapacke.dorgqr_work(COLUMNS, m, k, k, work, m, work, work, -1);
            }
        });
    }

    int orgqr(int m, int k, MemorySegment a, MemorySegment tau, MemorySegment work, int lwork) {
        return single()
                ? Lapacke.sorgqr_work(COLUMNS, m, k, k, a, m, tau, work, lwork)
                : Lapacke.dorgqr_work(COLUMNS, m, k, k, a, m, tau, work, lwork);
    }

    int[] gesddLengths(int m, int n) {
        int k = Math.min(m, n);
        return lengths((work, iwork) -> {
            if (single()) {
                Lapacke.sgesdd_work(COLUMNS, 'S', m, n, work, m, work, work, m, work, k, work, -1, iwork);
            } else {
                Lapacke.dgesdd_work(COLUMNS, 'S', m, n, work, m, work, work, m, work, k, work, -1, iwork);
            }
        });
    }

    /** The thin SVD of an m x n matrix by columns: u is m x k, vt is k x n. */
    int gesdd(
            int m,
            int n,
            MemorySegment a,
            MemorySegment s,
            MemorySegment u,
            MemorySegment vt,
            MemorySegment work,
            int lwork,
            MemorySegment iwork) {
        int k = Math.min(m, n);
        return single()
                ? Lapacke.sgesdd_work(COLUMNS, 'S', m, n, a, m, s, u, m, vt, k, work, lwork, iwork)
                : Lapacke.dgesdd_work(COLUMNS, 'S', m, n, a, m, s, u, m, vt, k, work, lwork, iwork);
    }
}
