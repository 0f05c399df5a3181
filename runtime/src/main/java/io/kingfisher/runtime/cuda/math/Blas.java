package io.kingfisher.runtime.cuda.math;

import io.kingfisher.runtime.DType;
import java.util.Optional;

/**
 * What is used of cuBLAS and cuBLASLt, with their parameters: matrices are stored by columns, numbers are those of the headers,
 * addresses are those of device memory. Tests have an implementation that follows NVIDIA's documentation on the processor.
 */
interface Blas extends AutoCloseable {
    /** A product with its algorithm. */
    interface Matmul extends AutoCloseable {
        long workspaceBytes();

        /**
         * {@code cublasLtMatmul} with alpha 1 and beta 0; the bias or its gradient, and what AUX epilogues write or read, are
         * 0 where there is none.
         */
        void run(long stream, long a, long b, long d, long bias, long auxiliary, long workspace);

        String what();

        @Override
        void close();
    }

    /** The algorithm that {@code cublasLtMatmulAlgoGetHeuristic} puts first, if there is one. */
    Optional<Matmul> matmul(Gemm gemm, long mostWorkspace);

    /** Makes the stream's handle where it has none yet, with a workspace. */
    void prepare(long stream);

    /** {@code cublasGemmStridedBatchedEx_64} with alpha 1, beta 0, without epilogue. */
    void gemm(long stream, Gemm gemm, long a, long b, long d);

    /** {@code cublas<t>trsm}: op(A) X = B or X op(A) = B with alpha 1; X replaces B. */
    void trsm(
            long stream,
            DType dtype,
            int side,
            int uplo,
            int trans,
            int m,
            int n,
            long a,
            int leadingA,
            long b,
            int leadingB);

    /** {@code cublas<t>trsmBatched}: as {@link #trsm} for matrices whose addresses are in two arrays on the device. */
    void trsmBatched(
            long stream,
            DType dtype,
            int side,
            int uplo,
            int trans,
            int m,
            int n,
            long a,
            int leadingA,
            long b,
            int leadingB,
            int batch);

    /** {@code cublas<t>syrk}: C = op(A) op(A)^T [n x n] with alpha 1 and beta 0, of which only one triangle is written. */
    void syrk(long stream, DType dtype, int uplo, int trans, int n, int k, long a, int leadingA, long c, int leadingC);

    /** A line for each library. */
    java.util.List<String> report();

    @Override
    void close();
}
