package io.kingfisher.nativebindings.lapacke;

import io.kingfisher.nativebindings.Libraries;
import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.nativebindings.lapacke.generated.lapacke_h;
import java.lang.foreign.MemorySegment;

/**
 * LAPACK by OpenBLAS through LAPACKE, under its C names without the prefix {@code LAPACKE_}, with the C functions' arguments.
 *
 * <p>Every function returns LAPACK's {@code info} where it is 0 (success) or positive (the algorithm's own failure: the
 * order of the minor that is not positive definite, the number of values that did not converge), and throws
 * {@link NativeException} where it is negative (a wrong argument, or no memory). The {@code _work} functions take the
 * caller's workspace and allocate nothing when the layout is {@code LAPACK_COL_MAJOR}; with {@code lwork = -1} they write
 * the best size of it to {@code work}. The others allocate it themselves, and look for NaN in the input first.
 */
public final class Lapacke {
    private Lapacke() {}

    private static int check(String function, int info) {
        if (info < 0) {
            throw failure(function, info);
        }
        return info;
    }

    private static NativeException failure(String function, int info) {
        if (info == lapacke_h.LAPACK_WORK_MEMORY_ERROR()) {
            return new NativeException(
                    function, info, "LAPACK_WORK_MEMORY_ERROR", "there is no memory for its workspace");
        } else if (info == lapacke_h.LAPACK_TRANSPOSE_MEMORY_ERROR()) {
            return new NativeException(
                    function, info, "LAPACK_TRANSPOSE_MEMORY_ERROR", "there is no memory to transpose its matrix");
        }
        return new NativeException(
                function, info, "an illegal argument", "argument " + -info + " is wrong, or it holds a NaN");
    }

    /** {@code LAPACKE_sgeqrf}. */
    public static int sgeqrf(int layout, int m, int n, MemorySegment a, int lda, MemorySegment tau) {
        Libraries.openblas();
        return check("LAPACKE_sgeqrf", lapacke_h.LAPACKE_sgeqrf(layout, m, n, a, lda, tau));
    }

    /** {@code LAPACKE_dgeqrf}. */
    public static int dgeqrf(int layout, int m, int n, MemorySegment a, int lda, MemorySegment tau) {
        Libraries.openblas();
        return check("LAPACKE_dgeqrf", lapacke_h.LAPACKE_dgeqrf(layout, m, n, a, lda, tau));
    }

    /** {@code LAPACKE_sgesdd}. */
    public static int sgesdd(
            int layout,
            char jobz,
            int m,
            int n,
            MemorySegment a,
            int lda,
            MemorySegment s,
            MemorySegment u,
            int ldu,
            MemorySegment vt,
            int ldvt) {
        Libraries.openblas();
        return check(
                "LAPACKE_sgesdd", lapacke_h.LAPACKE_sgesdd(layout, (byte) jobz, m, n, a, lda, s, u, ldu, vt, ldvt));
    }

    /** {@code LAPACKE_dgesdd}. */
    public static int dgesdd(
            int layout,
            char jobz,
            int m,
            int n,
            MemorySegment a,
            int lda,
            MemorySegment s,
            MemorySegment u,
            int ldu,
            MemorySegment vt,
            int ldvt) {
        Libraries.openblas();
        return check(
                "LAPACKE_dgesdd", lapacke_h.LAPACKE_dgesdd(layout, (byte) jobz, m, n, a, lda, s, u, ldu, vt, ldvt));
    }

    /** {@code LAPACKE_sgetrf}. */
    public static int sgetrf(int layout, int m, int n, MemorySegment a, int lda, MemorySegment ipiv) {
        Libraries.openblas();
        return check("LAPACKE_sgetrf", lapacke_h.LAPACKE_sgetrf(layout, m, n, a, lda, ipiv));
    }

    /** {@code LAPACKE_dgetrf}. */
    public static int dgetrf(int layout, int m, int n, MemorySegment a, int lda, MemorySegment ipiv) {
        Libraries.openblas();
        return check("LAPACKE_dgetrf", lapacke_h.LAPACKE_dgetrf(layout, m, n, a, lda, ipiv));
    }

    /** {@code LAPACKE_sgetrs}. */
    public static int sgetrs(
            int layout,
            char trans,
            int n,
            int nrhs,
            MemorySegment a,
            int lda,
            MemorySegment ipiv,
            MemorySegment b,
            int ldb) {
        Libraries.openblas();
        return check("LAPACKE_sgetrs", lapacke_h.LAPACKE_sgetrs(layout, (byte) trans, n, nrhs, a, lda, ipiv, b, ldb));
    }

    /** {@code LAPACKE_dgetrs}. */
    public static int dgetrs(
            int layout,
            char trans,
            int n,
            int nrhs,
            MemorySegment a,
            int lda,
            MemorySegment ipiv,
            MemorySegment b,
            int ldb) {
        Libraries.openblas();
        return check("LAPACKE_dgetrs", lapacke_h.LAPACKE_dgetrs(layout, (byte) trans, n, nrhs, a, lda, ipiv, b, ldb));
    }

    /** {@code LAPACKE_sorgqr}. */
    public static int sorgqr(int layout, int m, int n, int k, MemorySegment a, int lda, MemorySegment tau) {
        Libraries.openblas();
        return check("LAPACKE_sorgqr", lapacke_h.LAPACKE_sorgqr(layout, m, n, k, a, lda, tau));
    }

    /** {@code LAPACKE_dorgqr}. */
    public static int dorgqr(int layout, int m, int n, int k, MemorySegment a, int lda, MemorySegment tau) {
        Libraries.openblas();
        return check("LAPACKE_dorgqr", lapacke_h.LAPACKE_dorgqr(layout, m, n, k, a, lda, tau));
    }

    /** {@code LAPACKE_spotrf}. */
    public static int spotrf(int layout, char uplo, int n, MemorySegment a, int lda) {
        Libraries.openblas();
        return check("LAPACKE_spotrf", lapacke_h.LAPACKE_spotrf(layout, (byte) uplo, n, a, lda));
    }

    /** {@code LAPACKE_dpotrf}. */
    public static int dpotrf(int layout, char uplo, int n, MemorySegment a, int lda) {
        Libraries.openblas();
        return check("LAPACKE_dpotrf", lapacke_h.LAPACKE_dpotrf(layout, (byte) uplo, n, a, lda));
    }

    /** {@code LAPACKE_spotri}. */
    public static int spotri(int layout, char uplo, int n, MemorySegment a, int lda) {
        Libraries.openblas();
        return check("LAPACKE_spotri", lapacke_h.LAPACKE_spotri(layout, (byte) uplo, n, a, lda));
    }

    /** {@code LAPACKE_dpotri}. */
    public static int dpotri(int layout, char uplo, int n, MemorySegment a, int lda) {
        Libraries.openblas();
        return check("LAPACKE_dpotri", lapacke_h.LAPACKE_dpotri(layout, (byte) uplo, n, a, lda));
    }

    /** {@code LAPACKE_spotrs}. */
    public static int spotrs(
            int layout, char uplo, int n, int nrhs, MemorySegment a, int lda, MemorySegment b, int ldb) {
        Libraries.openblas();
        return check("LAPACKE_spotrs", lapacke_h.LAPACKE_spotrs(layout, (byte) uplo, n, nrhs, a, lda, b, ldb));
    }

    /** {@code LAPACKE_dpotrs}. */
    public static int dpotrs(
            int layout, char uplo, int n, int nrhs, MemorySegment a, int lda, MemorySegment b, int ldb) {
        Libraries.openblas();
        return check("LAPACKE_dpotrs", lapacke_h.LAPACKE_dpotrs(layout, (byte) uplo, n, nrhs, a, lda, b, ldb));
    }

    /** {@code LAPACKE_ssyev}. */
    public static int ssyev(int layout, char jobz, char uplo, int n, MemorySegment a, int lda, MemorySegment w) {
        Libraries.openblas();
        return check("LAPACKE_ssyev", lapacke_h.LAPACKE_ssyev(layout, (byte) jobz, (byte) uplo, n, a, lda, w));
    }

    /** {@code LAPACKE_dsyev}. */
    public static int dsyev(int layout, char jobz, char uplo, int n, MemorySegment a, int lda, MemorySegment w) {
        Libraries.openblas();
        return check("LAPACKE_dsyev", lapacke_h.LAPACKE_dsyev(layout, (byte) jobz, (byte) uplo, n, a, lda, w));
    }

    /** {@code LAPACKE_ssyevd}. */
    public static int ssyevd(int layout, char jobz, char uplo, int n, MemorySegment a, int lda, MemorySegment w) {
        Libraries.openblas();
        return check("LAPACKE_ssyevd", lapacke_h.LAPACKE_ssyevd(layout, (byte) jobz, (byte) uplo, n, a, lda, w));
    }

    /** {@code LAPACKE_dsyevd}. */
    public static int dsyevd(int layout, char jobz, char uplo, int n, MemorySegment a, int lda, MemorySegment w) {
        Libraries.openblas();
        return check("LAPACKE_dsyevd", lapacke_h.LAPACKE_dsyevd(layout, (byte) jobz, (byte) uplo, n, a, lda, w));
    }

    /** {@code LAPACKE_strtri}. */
    public static int strtri(int layout, char uplo, char diag, int n, MemorySegment a, int lda) {
        Libraries.openblas();
        return check("LAPACKE_strtri", lapacke_h.LAPACKE_strtri(layout, (byte) uplo, (byte) diag, n, a, lda));
    }

    /** {@code LAPACKE_dtrtri}. */
    public static int dtrtri(int layout, char uplo, char diag, int n, MemorySegment a, int lda) {
        Libraries.openblas();
        return check("LAPACKE_dtrtri", lapacke_h.LAPACKE_dtrtri(layout, (byte) uplo, (byte) diag, n, a, lda));
    }

    /** {@code LAPACKE_strtrs}. */
    public static int strtrs(
            int layout,
            char uplo,
            char trans,
            char diag,
            int n,
            int nrhs,
            MemorySegment a,
            int lda,
            MemorySegment b,
            int ldb) {
        Libraries.openblas();
        return check(
                "LAPACKE_strtrs",
                lapacke_h.LAPACKE_strtrs(layout, (byte) uplo, (byte) trans, (byte) diag, n, nrhs, a, lda, b, ldb));
    }

    /** {@code LAPACKE_dtrtrs}. */
    public static int dtrtrs(
            int layout,
            char uplo,
            char trans,
            char diag,
            int n,
            int nrhs,
            MemorySegment a,
            int lda,
            MemorySegment b,
            int ldb) {
        Libraries.openblas();
        return check(
                "LAPACKE_dtrtrs",
                lapacke_h.LAPACKE_dtrtrs(layout, (byte) uplo, (byte) trans, (byte) diag, n, nrhs, a, lda, b, ldb));
    }

    /** {@code LAPACKE_sgeqrf_work}. */
    public static int sgeqrf_work(
            int layout, int m, int n, MemorySegment a, int lda, MemorySegment tau, MemorySegment work, int lwork) {
        Libraries.openblas();
        return check("LAPACKE_sgeqrf_work", lapacke_h.LAPACKE_sgeqrf_work(layout, m, n, a, lda, tau, work, lwork));
    }

    /** {@code LAPACKE_dgeqrf_work}. */
    public static int dgeqrf_work(
            int layout, int m, int n, MemorySegment a, int lda, MemorySegment tau, MemorySegment work, int lwork) {
        Libraries.openblas();
        return check("LAPACKE_dgeqrf_work", lapacke_h.LAPACKE_dgeqrf_work(layout, m, n, a, lda, tau, work, lwork));
    }

    /** {@code LAPACKE_sgesdd_work}. */
    public static int sgesdd_work(
            int layout,
            char jobz,
            int m,
            int n,
            MemorySegment a,
            int lda,
            MemorySegment s,
            MemorySegment u,
            int ldu,
            MemorySegment vt,
            int ldvt,
            MemorySegment work,
            int lwork,
            MemorySegment iwork) {
        Libraries.openblas();
        return check(
                "LAPACKE_sgesdd_work",
                lapacke_h.LAPACKE_sgesdd_work(
                        layout, (byte) jobz, m, n, a, lda, s, u, ldu, vt, ldvt, work, lwork, iwork));
    }

    /** {@code LAPACKE_dgesdd_work}. */
    public static int dgesdd_work(
            int layout,
            char jobz,
            int m,
            int n,
            MemorySegment a,
            int lda,
            MemorySegment s,
            MemorySegment u,
            int ldu,
            MemorySegment vt,
            int ldvt,
            MemorySegment work,
            int lwork,
            MemorySegment iwork) {
        Libraries.openblas();
        return check(
                "LAPACKE_dgesdd_work",
                lapacke_h.LAPACKE_dgesdd_work(
                        layout, (byte) jobz, m, n, a, lda, s, u, ldu, vt, ldvt, work, lwork, iwork));
    }

    /** {@code LAPACKE_sgetrf_work}. */
    public static int sgetrf_work(int layout, int m, int n, MemorySegment a, int lda, MemorySegment ipiv) {
        Libraries.openblas();
        return check("LAPACKE_sgetrf_work", lapacke_h.LAPACKE_sgetrf_work(layout, m, n, a, lda, ipiv));
    }

    /** {@code LAPACKE_dgetrf_work}. */
    public static int dgetrf_work(int layout, int m, int n, MemorySegment a, int lda, MemorySegment ipiv) {
        Libraries.openblas();
        return check("LAPACKE_dgetrf_work", lapacke_h.LAPACKE_dgetrf_work(layout, m, n, a, lda, ipiv));
    }

    /** {@code LAPACKE_sgetrs_work}. */
    public static int sgetrs_work(
            int layout,
            char trans,
            int n,
            int nrhs,
            MemorySegment a,
            int lda,
            MemorySegment ipiv,
            MemorySegment b,
            int ldb) {
        Libraries.openblas();
        return check(
                "LAPACKE_sgetrs_work",
                lapacke_h.LAPACKE_sgetrs_work(layout, (byte) trans, n, nrhs, a, lda, ipiv, b, ldb));
    }

    /** {@code LAPACKE_dgetrs_work}. */
    public static int dgetrs_work(
            int layout,
            char trans,
            int n,
            int nrhs,
            MemorySegment a,
            int lda,
            MemorySegment ipiv,
            MemorySegment b,
            int ldb) {
        Libraries.openblas();
        return check(
                "LAPACKE_dgetrs_work",
                lapacke_h.LAPACKE_dgetrs_work(layout, (byte) trans, n, nrhs, a, lda, ipiv, b, ldb));
    }

    /** {@code LAPACKE_sorgqr_work}. */
    public static int sorgqr_work(
            int layout,
            int m,
            int n,
            int k,
            MemorySegment a,
            int lda,
            MemorySegment tau,
            MemorySegment work,
            int lwork) {
        Libraries.openblas();
        return check("LAPACKE_sorgqr_work", lapacke_h.LAPACKE_sorgqr_work(layout, m, n, k, a, lda, tau, work, lwork));
    }

    /** {@code LAPACKE_dorgqr_work}. */
    public static int dorgqr_work(
            int layout,
            int m,
            int n,
            int k,
            MemorySegment a,
            int lda,
            MemorySegment tau,
            MemorySegment work,
            int lwork) {
        Libraries.openblas();
        return check("LAPACKE_dorgqr_work", lapacke_h.LAPACKE_dorgqr_work(layout, m, n, k, a, lda, tau, work, lwork));
    }

    /** {@code LAPACKE_spotrf_work}. */
    public static int spotrf_work(int layout, char uplo, int n, MemorySegment a, int lda) {
        Libraries.openblas();
        return check("LAPACKE_spotrf_work", lapacke_h.LAPACKE_spotrf_work(layout, (byte) uplo, n, a, lda));
    }

    /** {@code LAPACKE_dpotrf_work}. */
    public static int dpotrf_work(int layout, char uplo, int n, MemorySegment a, int lda) {
        Libraries.openblas();
        return check("LAPACKE_dpotrf_work", lapacke_h.LAPACKE_dpotrf_work(layout, (byte) uplo, n, a, lda));
    }

    /** {@code LAPACKE_spotri_work}. */
    public static int spotri_work(int layout, char uplo, int n, MemorySegment a, int lda) {
        Libraries.openblas();
        return check("LAPACKE_spotri_work", lapacke_h.LAPACKE_spotri_work(layout, (byte) uplo, n, a, lda));
    }

    /** {@code LAPACKE_dpotri_work}. */
    public static int dpotri_work(int layout, char uplo, int n, MemorySegment a, int lda) {
        Libraries.openblas();
        return check("LAPACKE_dpotri_work", lapacke_h.LAPACKE_dpotri_work(layout, (byte) uplo, n, a, lda));
    }

    /** {@code LAPACKE_spotrs_work}. */
    public static int spotrs_work(
            int layout, char uplo, int n, int nrhs, MemorySegment a, int lda, MemorySegment b, int ldb) {
        Libraries.openblas();
        return check(
                "LAPACKE_spotrs_work", lapacke_h.LAPACKE_spotrs_work(layout, (byte) uplo, n, nrhs, a, lda, b, ldb));
    }

    /** {@code LAPACKE_dpotrs_work}. */
    public static int dpotrs_work(
            int layout, char uplo, int n, int nrhs, MemorySegment a, int lda, MemorySegment b, int ldb) {
        Libraries.openblas();
        return check(
                "LAPACKE_dpotrs_work", lapacke_h.LAPACKE_dpotrs_work(layout, (byte) uplo, n, nrhs, a, lda, b, ldb));
    }

    /** {@code LAPACKE_ssyev_work}. */
    public static int ssyev_work(
            int layout,
            char jobz,
            char uplo,
            int n,
            MemorySegment a,
            int lda,
            MemorySegment w,
            MemorySegment work,
            int lwork) {
        Libraries.openblas();
        return check(
                "LAPACKE_ssyev_work",
                lapacke_h.LAPACKE_ssyev_work(layout, (byte) jobz, (byte) uplo, n, a, lda, w, work, lwork));
    }

    /** {@code LAPACKE_dsyev_work}. */
    public static int dsyev_work(
            int layout,
            char jobz,
            char uplo,
            int n,
            MemorySegment a,
            int lda,
            MemorySegment w,
            MemorySegment work,
            int lwork) {
        Libraries.openblas();
        return check(
                "LAPACKE_dsyev_work",
                lapacke_h.LAPACKE_dsyev_work(layout, (byte) jobz, (byte) uplo, n, a, lda, w, work, lwork));
    }

    /** {@code LAPACKE_ssyevd_work}. */
    public static int ssyevd_work(
            int layout,
            char jobz,
            char uplo,
            int n,
            MemorySegment a,
            int lda,
            MemorySegment w,
            MemorySegment work,
            int lwork,
            MemorySegment iwork,
            int liwork) {
        Libraries.openblas();
        return check(
                "LAPACKE_ssyevd_work",
                lapacke_h.LAPACKE_ssyevd_work(
                        layout, (byte) jobz, (byte) uplo, n, a, lda, w, work, lwork, iwork, liwork));
    }

    /** {@code LAPACKE_dsyevd_work}. */
    public static int dsyevd_work(
            int layout,
            char jobz,
            char uplo,
            int n,
            MemorySegment a,
            int lda,
            MemorySegment w,
            MemorySegment work,
            int lwork,
            MemorySegment iwork,
            int liwork) {
        Libraries.openblas();
        return check(
                "LAPACKE_dsyevd_work",
                lapacke_h.LAPACKE_dsyevd_work(
                        layout, (byte) jobz, (byte) uplo, n, a, lda, w, work, lwork, iwork, liwork));
    }

    /** {@code LAPACKE_strtri_work}. */
    public static int strtri_work(int layout, char uplo, char diag, int n, MemorySegment a, int lda) {
        Libraries.openblas();
        return check("LAPACKE_strtri_work", lapacke_h.LAPACKE_strtri_work(layout, (byte) uplo, (byte) diag, n, a, lda));
    }

    /** {@code LAPACKE_dtrtri_work}. */
    public static int dtrtri_work(int layout, char uplo, char diag, int n, MemorySegment a, int lda) {
        Libraries.openblas();
        return check("LAPACKE_dtrtri_work", lapacke_h.LAPACKE_dtrtri_work(layout, (byte) uplo, (byte) diag, n, a, lda));
    }

    /** {@code LAPACKE_strtrs_work}. */
    public static int strtrs_work(
            int layout,
            char uplo,
            char trans,
            char diag,
            int n,
            int nrhs,
            MemorySegment a,
            int lda,
            MemorySegment b,
            int ldb) {
        Libraries.openblas();
        return check(
                "LAPACKE_strtrs_work",
                lapacke_h.LAPACKE_strtrs_work(layout, (byte) uplo, (byte) trans, (byte) diag, n, nrhs, a, lda, b, ldb));
    }

    /** {@code LAPACKE_dtrtrs_work}. */
    public static int dtrtrs_work(
            int layout,
            char uplo,
            char trans,
            char diag,
            int n,
            int nrhs,
            MemorySegment a,
            int lda,
            MemorySegment b,
            int ldb) {
        Libraries.openblas();
        return check(
                "LAPACKE_dtrtrs_work",
                lapacke_h.LAPACKE_dtrtrs_work(layout, (byte) uplo, (byte) trans, (byte) diag, n, nrhs, a, lda, b, ldb));
    }
}
