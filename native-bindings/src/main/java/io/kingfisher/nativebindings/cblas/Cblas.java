package io.kingfisher.nativebindings.cblas;

import io.kingfisher.nativebindings.Libraries;
import io.kingfisher.nativebindings.cblas.generated.cblas_h;
import java.lang.foreign.MemorySegment;

/**
 * CBLAS by OpenBLAS, under its C names without the prefix {@code cblas_}, with the C functions' arguments: matrices by
 * address and leading dimension in elements. Enumerations are those of {@link cblas_h}: {@code CblasRowMajor()}...
 *
 * <p>These functions have no status. OpenBLAS answers a wrong argument by a line on standard error and by doing nothing, so
 * callers check shapes first. Nothing is allocated.
 */
public final class Cblas {
    private Cblas() {}

    /** {@code cblas_sdot}. */
    public static float sdot(int n, MemorySegment x, int incX, MemorySegment y, int incY) {
        Libraries.openblas();
        return cblas_h.cblas_sdot(n, x, incX, y, incY);
    }

    /** {@code cblas_ddot}. */
    public static double ddot(int n, MemorySegment x, int incX, MemorySegment y, int incY) {
        Libraries.openblas();
        return cblas_h.cblas_ddot(n, x, incX, y, incY);
    }

    /** {@code cblas_snrm2}. */
    public static float snrm2(int n, MemorySegment x, int incX) {
        Libraries.openblas();
        return cblas_h.cblas_snrm2(n, x, incX);
    }

    /** {@code cblas_dnrm2}. */
    public static double dnrm2(int n, MemorySegment x, int incX) {
        Libraries.openblas();
        return cblas_h.cblas_dnrm2(n, x, incX);
    }

    /** {@code cblas_saxpy}. */
    public static void saxpy(int n, float alpha, MemorySegment x, int incX, MemorySegment y, int incY) {
        Libraries.openblas();
        cblas_h.cblas_saxpy(n, alpha, x, incX, y, incY);
    }

    /** {@code cblas_daxpy}. */
    public static void daxpy(int n, double alpha, MemorySegment x, int incX, MemorySegment y, int incY) {
        Libraries.openblas();
        cblas_h.cblas_daxpy(n, alpha, x, incX, y, incY);
    }

    /** {@code cblas_scopy}. */
    public static void scopy(int n, MemorySegment x, int incX, MemorySegment y, int incY) {
        Libraries.openblas();
        cblas_h.cblas_scopy(n, x, incX, y, incY);
    }

    /** {@code cblas_dcopy}. */
    public static void dcopy(int n, MemorySegment x, int incX, MemorySegment y, int incY) {
        Libraries.openblas();
        cblas_h.cblas_dcopy(n, x, incX, y, incY);
    }

    /** {@code cblas_sscal}. */
    public static void sscal(int n, float alpha, MemorySegment x, int incX) {
        Libraries.openblas();
        cblas_h.cblas_sscal(n, alpha, x, incX);
    }

    /** {@code cblas_dscal}. */
    public static void dscal(int n, double alpha, MemorySegment x, int incX) {
        Libraries.openblas();
        cblas_h.cblas_dscal(n, alpha, x, incX);
    }

    /** {@code cblas_sgemv}. */
    public static void sgemv(
            int layout,
            int trans,
            int m,
            int n,
            float alpha,
            MemorySegment a,
            int lda,
            MemorySegment x,
            int incX,
            float beta,
            MemorySegment y,
            int incY) {
        Libraries.openblas();
        cblas_h.cblas_sgemv(layout, trans, m, n, alpha, a, lda, x, incX, beta, y, incY);
    }

    /** {@code cblas_dgemv}. */
    public static void dgemv(
            int layout,
            int trans,
            int m,
            int n,
            double alpha,
            MemorySegment a,
            int lda,
            MemorySegment x,
            int incX,
            double beta,
            MemorySegment y,
            int incY) {
        Libraries.openblas();
        cblas_h.cblas_dgemv(layout, trans, m, n, alpha, a, lda, x, incX, beta, y, incY);
    }

    /** {@code cblas_sger}. */
    public static void sger(
            int layout,
            int m,
            int n,
            float alpha,
            MemorySegment x,
            int incX,
            MemorySegment y,
            int incY,
            MemorySegment a,
            int lda) {
        Libraries.openblas();
        cblas_h.cblas_sger(layout, m, n, alpha, x, incX, y, incY, a, lda);
    }

    /** {@code cblas_dger}. */
    public static void dger(
            int layout,
            int m,
            int n,
            double alpha,
            MemorySegment x,
            int incX,
            MemorySegment y,
            int incY,
            MemorySegment a,
            int lda) {
        Libraries.openblas();
        cblas_h.cblas_dger(layout, m, n, alpha, x, incX, y, incY, a, lda);
    }

    /** {@code cblas_ssyr}. */
    public static void ssyr(
            int layout, int uplo, int n, float alpha, MemorySegment x, int incX, MemorySegment a, int lda) {
        Libraries.openblas();
        cblas_h.cblas_ssyr(layout, uplo, n, alpha, x, incX, a, lda);
    }

    /** {@code cblas_dsyr}. */
    public static void dsyr(
            int layout, int uplo, int n, double alpha, MemorySegment x, int incX, MemorySegment a, int lda) {
        Libraries.openblas();
        cblas_h.cblas_dsyr(layout, uplo, n, alpha, x, incX, a, lda);
    }

    /** {@code cblas_sgemm}. */
    public static void sgemm(
            int layout,
            int transA,
            int transB,
            int m,
            int n,
            int k,
            float alpha,
            MemorySegment a,
            int lda,
            MemorySegment b,
            int ldb,
            float beta,
            MemorySegment c,
            int ldc) {
        Libraries.openblas();
        cblas_h.cblas_sgemm(layout, transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    }

    /** {@code cblas_dgemm}. */
    public static void dgemm(
            int layout,
            int transA,
            int transB,
            int m,
            int n,
            int k,
            double alpha,
            MemorySegment a,
            int lda,
            MemorySegment b,
            int ldb,
            double beta,
            MemorySegment c,
            int ldc) {
        Libraries.openblas();
        cblas_h.cblas_dgemm(layout, transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    }

    /** {@code cblas_ssymm}. */
    public static void ssymm(
            int layout,
            int side,
            int uplo,
            int m,
            int n,
            float alpha,
            MemorySegment a,
            int lda,
            MemorySegment b,
            int ldb,
            float beta,
            MemorySegment c,
            int ldc) {
        Libraries.openblas();
        cblas_h.cblas_ssymm(layout, side, uplo, m, n, alpha, a, lda, b, ldb, beta, c, ldc);
    }

    /** {@code cblas_dsymm}. */
    public static void dsymm(
            int layout,
            int side,
            int uplo,
            int m,
            int n,
            double alpha,
            MemorySegment a,
            int lda,
            MemorySegment b,
            int ldb,
            double beta,
            MemorySegment c,
            int ldc) {
        Libraries.openblas();
        cblas_h.cblas_dsymm(layout, side, uplo, m, n, alpha, a, lda, b, ldb, beta, c, ldc);
    }

    /** {@code cblas_ssyrk}. */
    public static void ssyrk(
            int layout,
            int uplo,
            int trans,
            int n,
            int k,
            float alpha,
            MemorySegment a,
            int lda,
            float beta,
            MemorySegment c,
            int ldc) {
        Libraries.openblas();
        cblas_h.cblas_ssyrk(layout, uplo, trans, n, k, alpha, a, lda, beta, c, ldc);
    }

    /** {@code cblas_dsyrk}. */
    public static void dsyrk(
            int layout,
            int uplo,
            int trans,
            int n,
            int k,
            double alpha,
            MemorySegment a,
            int lda,
            double beta,
            MemorySegment c,
            int ldc) {
        Libraries.openblas();
        cblas_h.cblas_dsyrk(layout, uplo, trans, n, k, alpha, a, lda, beta, c, ldc);
    }

    /** {@code cblas_strmm}. */
    public static void strmm(
            int layout,
            int side,
            int uplo,
            int transA,
            int diag,
            int m,
            int n,
            float alpha,
            MemorySegment a,
            int lda,
            MemorySegment b,
            int ldb) {
        Libraries.openblas();
        cblas_h.cblas_strmm(layout, side, uplo, transA, diag, m, n, alpha, a, lda, b, ldb);
    }

    /** {@code cblas_dtrmm}. */
    public static void dtrmm(
            int layout,
            int side,
            int uplo,
            int transA,
            int diag,
            int m,
            int n,
            double alpha,
            MemorySegment a,
            int lda,
            MemorySegment b,
            int ldb) {
        Libraries.openblas();
        cblas_h.cblas_dtrmm(layout, side, uplo, transA, diag, m, n, alpha, a, lda, b, ldb);
    }

    /** {@code cblas_strsm}. */
    public static void strsm(
            int layout,
            int side,
            int uplo,
            int transA,
            int diag,
            int m,
            int n,
            float alpha,
            MemorySegment a,
            int lda,
            MemorySegment b,
            int ldb) {
        Libraries.openblas();
        cblas_h.cblas_strsm(layout, side, uplo, transA, diag, m, n, alpha, a, lda, b, ldb);
    }

    /** {@code cblas_dtrsm}. */
    public static void dtrsm(
            int layout,
            int side,
            int uplo,
            int transA,
            int diag,
            int m,
            int n,
            double alpha,
            MemorySegment a,
            int lda,
            MemorySegment b,
            int ldb) {
        Libraries.openblas();
        cblas_h.cblas_dtrsm(layout, side, uplo, transA, diag, m, n, alpha, a, lda, b, ldb);
    }
}
