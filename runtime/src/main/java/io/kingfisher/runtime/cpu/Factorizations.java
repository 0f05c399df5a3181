package io.kingfisher.runtime.cpu;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.plan.Buffer;
import io.kingfisher.runtime.plan.Instruction;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Factorizations by OpenBLAS's LAPACK, one matrix of a batch after the other. LAPACK counts by columns, so it sees a row-major
 * matrix transposed: a symmetric one is the same, an SVD changes U with V, and only QR and eigenvectors are transposed by us.
 */
final class Factorizations {
    private final Assembly assembly;

    Factorizations(Assembly assembly) {
        this.assembly = assembly;
    }

    void lower(LinearAlgebra op, Node node) {
        Shape shape = node.input(0).shape();
        int m = shape.size(-2), n = shape.size(-1);
        int batch = Math.toIntExact(shape.elements() / ((long) m * n));
        DType dtype = node.input(0).dtype();
        Lapack lapack = dtype == DType.F64 ? Lapack.DOUBLE : Lapack.SINGLE;
        MatrixStep step = switch (op) {
            case LinearAlgebra.Cholesky _ -> new CholeskyStep(lapack, n);
            case LinearAlgebra.TriangularSolve(boolean transpose) ->
                new TriangularSolveStep(
                        lapack, transpose, n, node.input(1).shape().size(-1));
            case LinearAlgebra.Eigh _ -> new EighStep(lapack, n);
            case LinearAlgebra.Qr _ -> new QrStep(lapack, m, n);
            case LinearAlgebra.Svd _ -> new SvdStep(lapack, m, n);
        };
        List<Buffer> reads = new ArrayList<>(), writes = new ArrayList<>();
        for (Value input : node.inputs()) {
            reads.add(assembly.plain(input));
        }
        for (Value output : node.outputs()) {
            writes.add(assembly.define(output));
        }
        List<Buffer> touched = new ArrayList<>(writes);
        Buffer scratch = Buffer.temporary(Math.max(1, step.scratchBytes()));
        touched.add(scratch);
        assembly.emit(new Instruction<>(
                assembly.describe(node, "OpenBLAS " + step.routine()),
                node.scope(),
                reads,
                touched,
                Map.of(),
                batch * step.calls(),
                () -> {
                    List<Buffer> operands = new ArrayList<>(reads);
                    operands.addAll(writes);
                    List<Value> values = new ArrayList<>(node.inputs());
                    values.addAll(node.outputs());
                    MemorySegment[][] parts = new MemorySegment[operands.size()][batch];
                    for (int i = 0; i < parts.length; i++) {
                        long stride = values.get(i).type().bytes() / batch;
                        for (int b = 0; b < batch; b++) {
                            parts[i][b] =
                                    MemorySegment.ofAddress(operands.get(i).address() + b * stride);
                        }
                    }
                    step.bind(parts);
                    step.place(scratch.address());
                    return () -> {
                        for (int b = 0; b < batch; b++) {
                            step.run(b);
                        }
                    };
                }));
    }
}
