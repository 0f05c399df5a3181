package io.kingfisher.runtime.cuda.math;

import static io.kingfisher.nativebindings.cublaslt.generated.cublaslt_h.*;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.cuda.math.MathLibraries.Epilogue;
import io.kingfisher.runtime.cuda.math.MathLibraries.Precision;
import io.kingfisher.runtime.cuda.math.MathLibraries.Product;

/**
 * A batched product as cuBLAS and cuBLASLt are told of it: D = op(A) op(B) of matrices that are stored by columns, with their
 * numbers for types, operations and epilogues.
 *
 * @param m the rows of D and of op(A)
 * @param n the columns of D and of op(B)
 * @param k the columns of op(A)
 * @param auxiliary elements from one column to the next of what AUX epilogues write or read, 0 without
 */
record Gemm(
        int compute,
        int scale,
        int transA,
        int transB,
        long m,
        long n,
        long k,
        Matrix a,
        Matrix b,
        Matrix d,
        int batch,
        int epilogue,
        long auxiliary) {

    /**
     * A matrix in memory, by columns.
     *
     * @param leading elements from one column to the next
     * @param stride elements from one matrix of the batch to the next
     */
    record Matrix(int type, long rows, long columns, long leading, long stride) {}

    /**
     * What cuBLAS must compute so that memory holds a row-major product. A row-major matrix is its transposed by columns, and
     * C^T = op(B)^T op(A)^T: the operands change places and keep their transpositions.
     */
    static Gemm of(Product p) {
        int type = type(p.dtype());
        int compute = p.dtype() == DType.F64
                ? CUBLAS_COMPUTE_64F()
                : p.dtype() == DType.F32 && p.precision() == Precision.TF32
                        ? CUBLAS_COMPUTE_32F_FAST_TF32()
                        : CUBLAS_COMPUTE_32F();
        long rowsA = p.transposeA() ? p.k() : p.m(), columnsA = p.transposeA() ? p.m() : p.k();
        long rowsB = p.transposeB() ? p.n() : p.k(), columnsB = p.transposeB() ? p.k() : p.n();
        return new Gemm(
                compute,
                p.dtype() == DType.F64 ? CUDA_R_64F() : CUDA_R_32F(),
                p.transposeB() ? CUBLAS_OP_T() : CUBLAS_OP_N(),
                p.transposeA() ? CUBLAS_OP_T() : CUBLAS_OP_N(),
                p.n(),
                p.m(),
                p.k(),
                new Matrix(type, columnsB, rowsB, columnsB, p.strideB()),
                new Matrix(type, columnsA, rowsA, columnsA, p.strideA()),
                new Matrix(type(p.result()), p.n(), p.m(), p.n(), p.m() * p.n()),
                Math.toIntExact(p.batch()),
                epilogue(p.epilogue()),
                p.auxiliaryLeading());
    }

    boolean plain() {
        return epilogue == CUBLASLT_EPILOGUE_DEFAULT();
    }

    static int type(DType dtype) {
        return switch (dtype) {
            case F32 -> CUDA_R_32F();
            case F64 -> CUDA_R_64F();
            case BF16 -> CUDA_R_16BF();
            case F16 -> CUDA_R_16F();
            case I32, U8 -> throw new IllegalArgumentException("no product of " + dtype);
        };
    }

    /**
     * The bias has an element for each row of D, which is a column of the row-major product. As the operands change places,
     * so do the sums over them.
     */
    private static int epilogue(Epilogue epilogue) {
        return switch (epilogue) {
            case NONE -> CUBLASLT_EPILOGUE_DEFAULT();
            case BIAS -> CUBLASLT_EPILOGUE_BIAS();
            case RELU -> CUBLASLT_EPILOGUE_RELU();
            case RELU_BIAS -> CUBLASLT_EPILOGUE_RELU_BIAS();
            case RELU_AUX -> CUBLASLT_EPILOGUE_RELU_AUX();
            case RELU_AUX_BIAS -> CUBLASLT_EPILOGUE_RELU_AUX_BIAS();
            case GELU -> CUBLASLT_EPILOGUE_GELU();
            case GELU_BIAS -> CUBLASLT_EPILOGUE_GELU_BIAS();
            case GELU_AUX -> CUBLASLT_EPILOGUE_GELU_AUX();
            case GELU_AUX_BIAS -> CUBLASLT_EPILOGUE_GELU_AUX_BIAS();
            case DRELU -> CUBLASLT_EPILOGUE_DRELU();
            case DRELU_BGRAD -> CUBLASLT_EPILOGUE_DRELU_BGRAD();
            case DGELU -> CUBLASLT_EPILOGUE_DGELU();
            case DGELU_BGRAD -> CUBLASLT_EPILOGUE_DGELU_BGRAD();
            case BGRAD_A -> CUBLASLT_EPILOGUE_BGRADB();
            case BGRAD_B -> CUBLASLT_EPILOGUE_BGRADA();
        };
    }
}
