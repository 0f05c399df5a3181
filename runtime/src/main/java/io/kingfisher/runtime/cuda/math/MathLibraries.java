package io.kingfisher.runtime.cuda.math;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.LinearAlgebra;
import java.util.List;

/**
 * cuBLAS, cuDNN and cuSOLVER as the device uses them: each method prepares one call. Operands and results are contiguous,
 * none of them is empty, and results do not overlap operands. Tests have an implementation that computes on the processor.
 */
public interface MathLibraries extends AutoCloseable {
    /** In what type products are formed and summed where the operands are F32. */
    enum Precision {
        /** F32 throughout. */
        FP32,
        /** Factors rounded to TF32, sums in F32. */
        TF32
    }

    /** What a call does with an operand that only some have. */
    enum Use {
        NONE,
        READ,
        WRITTEN
    }

    /**
     * What is done to a product while it is stored, called as cuBLASLt calls it. AUX writes for the backward pass what the
     * activation saw: a ReLU the signs as one bit each, GELU its arguments. GELU is the approximation with a hyperbolic
     * tangent.
     */
    enum Epilogue {
        NONE(Use.NONE, Use.NONE),
        /** Adds a vector along the last axis, as all that end so do before anything else. */
        BIAS(Use.READ, Use.NONE),
        RELU(Use.NONE, Use.NONE),
        RELU_BIAS(Use.READ, Use.NONE),
        RELU_AUX(Use.NONE, Use.WRITTEN),
        RELU_AUX_BIAS(Use.READ, Use.WRITTEN),
        GELU(Use.NONE, Use.NONE),
        GELU_BIAS(Use.READ, Use.NONE),
        GELU_AUX(Use.NONE, Use.WRITTEN),
        GELU_AUX_BIAS(Use.READ, Use.WRITTEN),
        /** Multiplies by the slope of a ReLU at what AUX wrote. */
        DRELU(Use.NONE, Use.READ),
        /** The same, and the sums of the result's columns: the bias's gradient. */
        DRELU_BGRAD(Use.WRITTEN, Use.READ),
        DGELU(Use.NONE, Use.READ),
        DGELU_BGRAD(Use.WRITTEN, Use.READ),
        /** The product, and the sums of op(A)'s rows. */
        BGRAD_A(Use.WRITTEN, Use.NONE),
        /** The product, and the sums of op(B)'s columns. */
        BGRAD_B(Use.WRITTEN, Use.NONE);

        private final Use bias;
        private final Use auxiliary;

        Epilogue(Use bias, Use auxiliary) {
            this.bias = bias;
            this.auxiliary = auxiliary;
        }

        /** Of the bias, or of its gradient where it is written. */
        public Use bias() {
            return bias;
        }

        public Use auxiliary() {
            return auxiliary;
        }

        private boolean signs() {
            return switch (this) {
                case RELU_AUX, RELU_AUX_BIAS, DRELU, DRELU_BGRAD -> true;
                default -> false;
            };
        }
    }

    /**
     * A batched product C = op(A) op(B) of row-major matrices, [m x k] times [k x n] after the transpositions.
     *
     * @param batch the number of products
     * @param strideA elements from one product's A to the next's; 0 where all share it
     * @param dtype of A and B; sums are in F32, or F64 for F64
     * @param result of C, the bias and what AUX writes: {@code dtype}, or F32 where that has 16 bits
     */
    record Product(
            DType dtype,
            DType result,
            Precision precision,
            boolean transposeA,
            boolean transposeB,
            long m,
            long n,
            long k,
            long batch,
            long strideA,
            long strideB,
            Epilogue epilogue) {

        /** A product of the type of its factors. */
        Product(
                DType dtype,
                Precision precision,
                boolean transposeA,
                boolean transposeB,
                long m,
                long n,
                long k,
                long batch,
                long strideA,
                long strideB,
                Epilogue epilogue) {
            this(dtype, dtype, precision, transposeA, transposeB, m, n, k, batch, strideA, strideB, epilogue);
        }

        /**
         * Elements, which are bits for a ReLU's signs, from one row of what AUX writes to the next: whole 128 bits, and for
         * GELU as many as the result has.
         */
        long auxiliaryLeading() {
            return epilogue.auxiliary() == Use.NONE ? 0 : epilogue.signs() ? (n + 127) / 128 * 128 : n;
        }

        /** The size of what AUX writes. */
        public long auxiliaryBytes() {
            return m * auxiliaryLeading() * (epilogue.signs() ? 1 : 8L * result.bytes()) / 8;
        }
    }

    /** Operands: A, B, then what the epilogue reads of bias and AUX; results: C, then what it writes of AUX and bias. */
    Call product(Product product);

    /**
     * Whether there is such a product with that epilogue; without one there always is. By cuBLASLt's documentation none is in
     * F64, GELU's arguments have rows of whole 8 elements, and what goes between passes is of one product, not of a batch. A
     * bias has the type of the result: that of 16 bits, or F32 where factors of 16 bits make a result in F32.
     */
    default boolean has(Product product) {
        Epilogue epilogue = product.epilogue();
        boolean one = epilogue.auxiliary() == Use.NONE && epilogue.bias() != Use.WRITTEN;
        return epilogue == Epilogue.NONE
                || product.dtype() != DType.F64
                        && (one || product.batch() == 1)
                        && (epilogue.auxiliary() == Use.NONE || product.auxiliaryLeading() % 8 == 0);
    }

    /**
     * A batch of products of a row-major matrix with its own transposed: A A^T of A [n x k], or A^T A of A [k x n] where
     * {@code transposeFirst}, in F32 throughout or F64. Only the lower triangle of the result [n x n] is written.
     */
    record SelfProduct(DType dtype, boolean transposeFirst, long n, long k, long batch) {}

    /** Operand: A; result: the lower triangle of C. Half of the work of {@link #product}; who needs the rest mirrors it. */
    Call selfProduct(SelfProduct product);

    /** Makes what a stream needs, so that a later capture of it allocates nothing. */
    default void prepare(long stream) {}

    /** Which of the three products of a convolution. */
    enum Pass {
        /** Operands: image, weight; result: output. */
        FORWARD,
        /** Operands: output's gradient, weight; result: image's gradient. */
        INPUT_GRADIENT,
        /** Operands: image, output's gradient; result: weight's gradient. */
        WEIGHT_GRADIENT
    }

    /**
     * A convolution.
     *
     * @param image [N x C x H x W], whatever the layout
     * @param weight [O x C/groups x KH x KW]
     * @param channelsLast whether images, weights and outputs lie as N H W C (O KH KW C/groups), else as written
     * @param deterministic whether only algorithms are used that always give the same bits
     */
    record Conv(
            Pass pass,
            DType dtype,
            Precision precision,
            Convolution geometry,
            Shape image,
            Shape weight,
            boolean channelsLast,
            boolean deterministic) {}

    Call convolution(Conv convolution);

    /**
     * Scaled dot-product attention, softmax(Q K^T scale) V, on [batch x heads x length x width], row-major.
     *
     * @param causal whether query i sees keys 0 to i only
     */
    record Attention(
            DType dtype, long batch, long heads, long queries, long keys, long width, double scale, boolean causal) {}

    /** Operands: Q, K, V; results: output and the log-sum-exp of each query [batch x heads x queries], in F32 or F64. */
    Call attention(Attention attention);

    /** Operands: Q, K, V, output, log-sum-exp, output's gradient; results: gradients of Q, K, V. */
    Call attentionGradient(Attention attention);

    /** Whether this device and these libraries have fused attention of that kind. */
    boolean has(Attention attention);

    /**
     * A factorization or a triangular solve of {@code batch} equal row-major problems; operands and results are those of the
     * op in the graph, row-major: a failed problem's results are NaN, its info is not 0, and the others do not suffer.
     */
    record Factorization(LinearAlgebra op, DType dtype, List<Shape> operands) {}

    Call factorization(Factorization factorization);

    /** What is loaded: libraries with paths and versions, a line each. */
    List<String> report();

    @Override
    void close();
}
