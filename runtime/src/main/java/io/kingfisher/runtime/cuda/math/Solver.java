package io.kingfisher.runtime.cuda.math;

import io.kingfisher.runtime.DType;
import java.lang.foreign.MemorySegment;

/**
 * What is used of cuSOLVER's dense part, with its parameters: matrices are stored by columns, numbers are those of the headers,
 * addresses are those of device memory. Tests have an implementation that follows NVIDIA's documentation on the processor.
 */
interface Solver extends AutoCloseable {
    /** Bytes of scratch memory on the device and on the host. */
    record Sizes(long device, long host) {
        Sizes max(Sizes other) {
            return new Sizes(Math.max(device, other.device), Math.max(host, other.host));
        }
    }

    /** Scratch memory. */
    record Work(long device, long deviceBytes, MemorySegment host) {}

    /** Makes the stream's handle where it has none yet. */
    void prepare(long stream);

    Sizes potrfSizes(DType dtype, int uplo, long n, long leading);

    /** {@code cusolverDnXpotrf}: the factor replaces one triangle of A, the other is not touched. */
    void potrf(long stream, DType dtype, int uplo, long n, long a, long leading, Work work, long info);

    /** {@code cusolverDn<t>potrfBatched}, for matrices whose addresses are in an array on the device. */
    void potrfBatched(long stream, DType dtype, int uplo, int n, long array, int leading, long infos, int batch);

    Sizes syevdSizes(DType dtype, int uplo, long n, long leading);

    /** {@code cusolverDnXsyevd} with vectors: eigenvalues, ascending; the eigenvectors replace the columns of A. */
    void syevd(long stream, DType dtype, int uplo, long n, long a, long leading, long w, Work work, long info);

    /** Whether the library has {@code cusolverDnXsyevBatched} (CUDA 12.6 or newer). */
    boolean hasSyevBatched();

    Sizes syevBatchedSizes(DType dtype, int uplo, long n, long leading, long batch);

    /** {@code cusolverDnXsyevBatched}: as {@link #syevd} for matrices that lie one behind the other. */
    void syevBatched(
            long stream,
            DType dtype,
            int uplo,
            long n,
            long a,
            long leading,
            long w,
            Work work,
            long infos,
            long batch);

    Sizes geqrfSizes(DType dtype, long m, long n, long leading);

    /** {@code cusolverDnXgeqrf}: R replaces the upper triangle of A, the reflectors what is below. */
    void geqrf(long stream, DType dtype, long m, long n, long a, long leading, long tau, Work work, long info);

    Sizes orgqrSizes(DType dtype, int m, int n, int k, int leading);

    /** {@code cusolverDn<t>orgqr}: the first n columns of Q replace A, which holds k reflectors. */
    void orgqr(long stream, DType dtype, int m, int n, int k, long a, int leading, long tau, Work work, long info);

    Sizes gesvdSizes(DType dtype, long m, long n, long leading, long leadingU, long leadingVt);

    /** {@code cusolverDnXgesvd} with jobs 'S': the thin SVD of A with m of at least n, whose contents are lost. */
    void gesvd(
            long stream,
            DType dtype,
            long m,
            long n,
            long a,
            long leading,
            long s,
            long u,
            long leadingU,
            long vt,
            long leadingVt,
            Work work,
            long info);

    java.util.List<String> report();

    @Override
    void close();
}
