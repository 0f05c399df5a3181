package io.kingfisher.runtime.cuda.math;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.cuda.math.Blas.Matmul;
import io.kingfisher.runtime.cuda.math.MathLibraries.Epilogue;
import io.kingfisher.runtime.cuda.math.MathLibraries.Product;
import io.kingfisher.runtime.cuda.math.MathLibraries.SelfProduct;
import io.kingfisher.runtime.cuda.math.MathLibraries.Use;
import java.util.Optional;

/** Products of matrices: by cuBLASLt, or by cuBLAS where cuBLASLt has no algorithm. */
final class Products {
    private final Blas blas;
    private final long mostWorkspace;

    Products(Blas blas, long mostWorkspace) {
        this.blas = blas;
        this.mostWorkspace = mostWorkspace;
    }

    /** Whether cuBLASLt has an algorithm for a product with an epilogue, where its documentation does not exclude it. */
    boolean available(Product p) {
        Optional<Matmul> matmul = blas.matmul(Gemm.of(p), mostWorkspace);
        matmul.ifPresent(Matmul::close);
        return matmul.isPresent();
    }

    Call product(Product p) {
        Gemm gemm = Gemm.of(p);
        Matmul matmul = blas.matmul(gemm, mostWorkspace).orElse(null);
        if (matmul == null && !gemm.plain()) {
            throw new KingfisherException("cuBLASLt has no algorithm for " + p + "; ask has() first.");
        }
        return matmul != null ? new Lt(p.epilogue(), matmul) : new Plain(gemm);
    }

    Call selfProduct(SelfProduct p) {
        return new Syrk(p);
    }

    /** A product by cuBLASLt, which gets the row-major operands in the opposite order. */
    private record Lt(Epilogue epilogue, Matmul matmul) implements Call {
        @Override
        public long workspaceBytes() {
            return matmul.workspaceBytes();
        }

        @Override
        public void run(long stream, long[] addresses, long workspace) {
            int next = 2;
            long bias = epilogue.bias() == Use.READ ? addresses[next++] : 0;
            long auxiliary = epilogue.auxiliary() == Use.READ ? addresses[next++] : 0;
            long result = addresses[next++];
            auxiliary = epilogue.auxiliary() == Use.WRITTEN ? addresses[next++] : auxiliary;
            bias = epilogue.bias() == Use.WRITTEN ? addresses[next] : bias;
            matmul.run(stream, addresses[1], addresses[0], result, bias, auxiliary, workspace);
        }

        @Override
        public boolean capturable() {
            return true;
        }

        @Override
        public String what() {
            return matmul.what();
        }

        @Override
        public void close() {
            matmul.close();
        }
    }

    /** A product by cuBLAS, in the workspace of its handle. */
    private final class Plain implements Call {
        private final Gemm gemm;

        Plain(Gemm gemm) {
            this.gemm = gemm;
        }

        @Override
        public long workspaceBytes() {
            return 0;
        }

        @Override
        public void run(long stream, long[] addresses, long workspace) {
            blas.gemm(stream, gemm, addresses[1], addresses[0], addresses[2]);
        }

        @Override
        public boolean capturable() {
            return true;
        }

        @Override
        public String what() {
            return "cuBLAS gemm " + gemm.m() + "x" + gemm.n() + "x" + gemm.k();
        }

        @Override
        public void close() {}
    }

    /** Half of a product of a matrix with its own transposed. */
    private final class Syrk implements Call {
        private final SelfProduct p;
        private final boolean transposed;

        /**
         * By columns the row-major A [n x k] is A^T [k x n], so that A A^T is op(A^T) with the transposition; and the lower
         * triangle by rows is the upper one by columns.
         */
        Syrk(SelfProduct p) {
            this.p = p;
            this.transposed = !p.transposeFirst();
            if (p.dtype() != DType.F32 && p.dtype() != DType.F64) {
                throw new KingfisherException("cuBLAS has no syrk in " + p.dtype() + "; use a product.");
            }
        }

        @Override
        public long workspaceBytes() {
            return 0;
        }

        @Override
        public void run(long stream, long[] addresses, long workspace) {
            int n = Math.toIntExact(p.n()), k = Math.toIntExact(p.k());
            int leading = transposed ? k : n;
            for (long b = 0; b < p.batch(); b++) {
                blas.syrk(
                        stream,
                        p.dtype(),
                        Codes.UPPER,
                        transposed ? Codes.TRANSPOSED : Codes.PLAIN,
                        n,
                        k,
                        addresses[0] + b * p.n() * p.k() * p.dtype().bytes(),
                        leading,
                        addresses[1] + b * p.n() * p.n() * p.dtype().bytes(),
                        n);
            }
        }

        @Override
        public boolean capturable() {
            return true;
        }

        @Override
        public String what() {
            return "cuBLAS syrk " + p.n() + "x" + p.k();
        }

        @Override
        public void close() {}
    }
}
