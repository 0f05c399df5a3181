package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.kernels.KernelEngine.Elementwise;
import io.kingfisher.runtime.cuda.math.MathLibraries;
import io.kingfisher.runtime.cuda.math.MathLibraries.Epilogue;
import io.kingfisher.runtime.cuda.math.MathLibraries.Precision;
import io.kingfisher.runtime.cuda.math.MathLibraries.Product;
import io.kingfisher.runtime.cuda.math.MathLibraries.SelfProduct;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.MatMul;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.layout.View;
import io.kingfisher.runtime.plan.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Matrix products by cuBLASLt. */
final class Products {
    private final MathLibraries math;
    private final Precision precision;
    private Assembly assembly;

    Products(MathLibraries math, Precision precision) {
        this.math = math;
        this.precision = precision;
    }

    /** Where instructions go. */
    void into(Assembly target) {
        assembly = target;
    }

    /** Whether a node is a product that can add a bias. */
    boolean takesBias(Node node) {
        return node.op() instanceof MatMul op
                && math.has(new Product(
                        node.output(0).dtype(),
                        precision,
                        op.transposeA(),
                        op.transposeB(),
                        node.output(0).dim(-2),
                        node.output(0).dim(-1),
                        node.input(0).dim(op.transposeA() ? -2 : -1),
                        1,
                        0,
                        0,
                        Epilogue.BIAS));
    }

    /** A product; {@code bias}, one number for each column, may be null. */
    void multiply(MatMul op, Node node, Value bias) {
        Value a = node.input(0), b = node.input(1), c = node.output(0);
        long m = c.dim(-2), n = c.dim(-1), k = a.dim(op.transposeA() ? -2 : -1);
        if (c.shape().elements() == 0 || k == 0) {
            // A bias is added to products with elements only.
            assembly.clear(assembly.describe(node), node.scope(), assembly.define(c, Layout.PLAIN));
            return;
        }
        if (a == b
                && op.transposeA() != op.transposeB()
                && bias == null
                && c.rank() == 2
                && !c.dtype().half()) {
            gram(op, node);
            return;
        }
        Shape batches = c.shape().slice(0, c.rank() - 2);
        long batch = batches.elements();
        Factor left = factor(a, batches), right = factor(b, batches);
        if (batch > 1 && right.stride() == 0 && !op.transposeA() && left.stride() != 0) {
            // One matrix for all batches: their rows are the rows of one product.
            m *= batch;
            batch = 1;
        }
        List<Buffer> reads = new ArrayList<>(List.of(left.buffer(), right.buffer()));
        if (bias != null) {
            reads.add(assembly.plain(bias));
        }
        var call = math.product(new Product(
                c.dtype(),
                precision,
                op.transposeA(),
                op.transposeB(),
                m,
                n,
                k,
                batch,
                left.stride(),
                right.stride(),
                bias == null ? Epilogue.NONE : Epilogue.BIAS));
        String what = assembly.describe(node) + (bias == null ? "" : " plus bias " + bias);
        assembly.call(what, node.scope(), call, reads, List.of(assembly.define(c, Layout.PLAIN)));
    }

    /**
     * A matrix times its own transposed, as a factor of curvature is: half of the work, in F32 throughout whatever other
     * products may round to.
     */
    private void gram(MatMul op, Node node) {
        Value a = node.input(0), c = node.output(0);
        long n = c.dim(-1), k = a.dim(op.transposeA() ? -2 : -1);
        Buffer result = assembly.define(c, Layout.PLAIN);
        assembly.call(
                assembly.describe(node) + ", its lower triangle",
                node.scope(),
                math.selfProduct(new SelfProduct(c.dtype(), op.transposeA(), n, k, 1)),
                List.of(assembly.plain(a)),
                List.of(result));
        assembly.launch(
                "Mirror " + c,
                node.scope(),
                assembly.engine().mirror(c.dtype(), n, 1),
                List.of(),
                List.of(result),
                Map.of());
    }

    /** A factor's memory and the elements from one product's matrix to the next's. */
    private record Factor(Buffer buffer, long stride) {}

    private Factor factor(Value value, Shape batches) {
        Shape matrix = value.shape().slice(value.rank() - 2, value.rank());
        long own = value.shape().elements() / matrix.elements();
        if (own == 1) {
            return new Factor(assembly.plain(value), 0);
        } else if (own == batches.elements()) {
            return new Factor(assembly.plain(value), matrix.elements());
        }
        // Shared along some axes of the batch only: one stride cannot say that.
        var full = new io.kingfisher.runtime.graph.Type(value.dtype(), batches.concat(matrix));
        Buffer stretched = Buffer.temporary(full.bytes());
        assembly.launch(
                "Broadcast " + value + " to " + full.shape(),
                value.node().scope(),
                assembly.engine()
                        .map(new Elementwise(
                                List.of(Expr.arg(0)), List.of(View.of(value.type())), List.of(View.of(full)))),
                List.of(assembly.plain(value)),
                List.of(stretched),
                Map.of());
        return new Factor(stretched, matrix.elements());
    }
}
