package io.kingfisher.runtime.cpu;

import io.kingfisher.nativebindings.cblas.Cblas;
import io.kingfisher.nativebindings.cblas.generated.cblas_h;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.MatMul;
import java.lang.foreign.MemorySegment;

/** The products of a batch of matrices in double precision; a batch axis of 1 serves all. */
final class DoubleProduct implements CpuStep {
    private final int m;
    private final int n;
    private final int k;
    private final int lda;
    private final int ldb;
    private final int transA;
    private final int transB;
    private final MemorySegment[] a;
    private final MemorySegment[] b;
    private final MemorySegment[] c;

    DoubleProduct(MatMul op, Shape sa, Shape sb, Shape sc, long atA, long atB, long atC) {
        m = sc.size(-2);
        n = sc.size(-1);
        k = sa.size(op.transposeA() ? -2 : -1);
        lda = sa.size(-1);
        ldb = sb.size(-1);
        transA = op.transposeA() ? cblas_h.CblasTrans() : cblas_h.CblasNoTrans();
        transB = op.transposeB() ? cblas_h.CblasTrans() : cblas_h.CblasNoTrans();
        Shape batch = sc.slice(0, sc.rank() - 2);
        a = matrices(sa, batch, atA);
        b = matrices(sb, batch, atB);
        c = matrices(sc, batch, atC);
    }

    /** Where the operand of each product begins. */
    private static MemorySegment[] matrices(Shape shape, Shape batch, long at) {
        MemorySegment[] result = new MemorySegment[Math.toIntExact(batch.elements())];
        long[] strides = shape.strides();
        int lead = batch.rank() - (shape.rank() - 2);
        for (int i = 0; i < result.length; i++) {
            long rest = i, offset = 0;
            for (int axis = batch.rank() - 1; axis >= 0; axis--) {
                long place = rest % batch.dim(axis);
                rest /= batch.dim(axis);
                if (axis >= lead && shape.dim(axis - lead) != 1) {
                    offset += place * strides[axis - lead];
                }
            }
            result[i] = MemorySegment.ofAddress(at + offset * Double.BYTES);
        }
        return result;
    }

    @Override
    public void run() {
        for (int i = 0; i < c.length; i++) {
            Cblas.dgemm(cblas_h.CblasRowMajor(), transA, transB, m, n, k, 1, a[i], lda, b[i], ldb, 0, c[i], n);
        }
    }
}
