package io.kingfisher.runtime.cpu;

import io.kingfisher.nativebindings.dnnl.DnnlMemoryDesc;
import io.kingfisher.nativebindings.dnnl.DnnlPrimitiveDesc;
import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.MatMul;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.plan.Buffer;
import io.kingfisher.runtime.plan.Instruction;
import java.util.List;
import java.util.Map;

/** Matrix products by oneDNN: transposed operands are strides, batches that one operand lacks are broadcast. */
final class Products {
    private final Assembly assembly;
    private final OneDnn onednn;

    Products(Assembly assembly) {
        this.assembly = assembly;
        this.onednn = assembly.onednn();
    }

    /** A product; {@code bias}, one number for each column, may be null. */
    void multiply(MatMul op, Node node, Value bias) {
        Value a = node.input(0), b = node.input(1), c = node.output(0);
        Shape sa = a.shape(), sb = b.shape(), sc = c.shape();
        boolean sharedB = sb.elements() == sb.dim(-1) * sb.dim(-2);
        if (sc.rank() > 2 && sharedB && !op.transposeA()) {
            // One matrix for all batches: their rows are the rows of one product.
            sa = Shape.of(sa.elements() / Math.max(1, sa.dim(-1)), sa.dim(-1));
            sb = Shape.of(sb.dim(-2), sb.dim(-1));
            sc = Shape.of(sc.elements() / Math.max(1, sc.dim(-1)), sc.dim(-1));
        }
        int rank = sc.rank();
        long[] row = new long[rank];
        java.util.Arrays.fill(row, 1);
        row[rank - 1] = sc.dim(-1);
        try (DnnlMemoryDesc src = operand(a, sa, rank, op.transposeA());
                DnnlMemoryDesc weights = operand(b, sb, rank, op.transposeB());
                DnnlMemoryDesc added = onednn.plain(c.dtype(), Shape.of(row));
                DnnlMemoryDesc dst = onednn.plain(c.dtype(), sc)) {
            DnnlPrimitiveDesc pd = assembly.resources()
                    .keep(DnnlPrimitiveDesc.matmul(
                            onednn.engine(), src, weights, bias == null ? null : added, dst, onednn.attributes()));
            PrimitiveCall call = new PrimitiveCall(assembly, pd)
                    .read(dnnl_h.DNNL_ARG_SRC(), assembly.plain(a))
                    .read(dnnl_h.DNNL_ARG_WEIGHTS(), assembly.plain(b));
            if (bias != null) {
                call.read(dnnl_h.DNNL_ARG_BIAS(), assembly.plain(bias));
            }
            call.write(dnnl_h.DNNL_ARG_DST(), assembly.define(c));
            call.emit(assembly.describe(node, "") + (bias == null ? "" : " plus bias " + bias), node.scope());
        }
    }

    /** Products in double precision, which oneDNN lacks, by OpenBLAS: a call for each matrix of the batch. */
    void multiplyDouble(MatMul op, Node node) {
        Value a = node.input(0), b = node.input(1), c = node.output(0);
        Buffer x = assembly.plain(a), y = assembly.plain(b), z = assembly.define(c);
        int batch = Math.toIntExact(c.shape().slice(0, c.rank() - 2).elements());
        assembly.emit(new Instruction<>(
                assembly.describe(node, "OpenBLAS dgemm"),
                node.scope(),
                List.of(x, y),
                List.of(z),
                Map.of(),
                batch,
                () -> new DoubleProduct(op, a.shape(), b.shape(), c.shape(), x.address(), y.address(), z.address())));
    }

    /** A matrix with leading axes of 1 up to the rank, its last two axes exchanged where asked. */
    private DnnlMemoryDesc operand(Value value, Shape shape, int rank, boolean transposed) {
        long[] dims = new long[rank], strides = new long[rank];
        long[] own = shape.strides();
        for (int i = 0; i < rank; i++) {
            int axis = i - (rank - shape.rank());
            dims[i] = axis < 0 ? 1 : shape.dim(axis);
            strides[i] = axis < 0 ? shape.elements() : own[axis];
        }
        if (transposed) {
            swap(dims, rank);
            swap(strides, rank);
        }
        return DnnlMemoryDesc.strided(onednn.type(value.dtype()), dims, strides);
    }

    private static void swap(long[] array, int rank) {
        long last = array[rank - 1];
        array[rank - 1] = array[rank - 2];
        array[rank - 2] = last;
    }
}
