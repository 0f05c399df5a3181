package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.kernels.KernelEngine.Elementwise;
import io.kingfisher.runtime.cuda.math.MathLibraries;
import io.kingfisher.runtime.cuda.math.MathLibraries.Epilogue;
import io.kingfisher.runtime.cuda.math.MathLibraries.Precision;
import io.kingfisher.runtime.cuda.math.MathLibraries.Product;
import io.kingfisher.runtime.cuda.math.MathLibraries.SelfProduct;
import io.kingfisher.runtime.cuda.math.MathLibraries.Use;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.MatMul;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.layout.View;
import io.kingfisher.runtime.plan.Activation;
import io.kingfisher.runtime.plan.Buffer;
import io.kingfisher.runtime.plan.FusedProducts.Fused;
import io.kingfisher.runtime.plan.FusedProducts.Summed;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Matrix products by cuBLASLt, with what it does while it stores them. */
final class Products {
    private final MathLibraries math;
    private final Precision precision;
    private final Map<Value, Buffer> kept = new HashMap<>();
    private Assembly assembly;

    Products(MathLibraries math, Precision precision) {
        this.math = math;
        this.precision = precision;
    }

    /** Curvature is computed in F32 throughout. */
    private Precision precision(Node node) {
        return node.curvature() ? Precision.FP32 : precision;
    }

    /** Where instructions go. */
    void into(Assembly target) {
        assembly = target;
    }

    /** Whether a node is a product that can add a bias. */
    boolean takesBias(Node node) {
        return node.op() instanceof MatMul op
                && math.has(product(op, node, node.output(0).dtype(), Epilogue.BIAS));
    }

    /** Whether there is a product that does all that. */
    boolean takes(Fused fused) {
        Node node = fused.product();
        return math.has(product((MatMul) node.op(), node, fused.result().dtype(), epilogue(fused, fused.bias())));
    }

    private static Epilogue epilogue(Fused fused, Value bias) {
        if (fused == null || fused.activation() == null) {
            Summed summed = fused == null ? Summed.NOTHING : fused.summed();
            return switch (summed) {
                case LEFT -> Epilogue.BGRAD_A;
                case RIGHT -> Epilogue.BGRAD_B;
                case NOTHING, RESULT -> bias == null ? Epilogue.NONE : Epilogue.BIAS;
            };
        }
        boolean relu = fused.activation() == Activation.RELU;
        if (fused.gradient()) {
            boolean sums = fused.summed() == Summed.RESULT;
            return relu
                    ? (sums ? Epilogue.DRELU_BGRAD : Epilogue.DRELU)
                    : (sums ? Epilogue.DGELU_BGRAD : Epilogue.DGELU);
        }
        if (fused.keeps()) {
            return relu
                    ? (bias == null ? Epilogue.RELU_AUX : Epilogue.RELU_AUX_BIAS)
                    : (bias == null ? Epilogue.GELU_AUX : Epilogue.GELU_AUX_BIAS);
        }
        return relu
                ? (bias == null ? Epilogue.RELU : Epilogue.RELU_BIAS)
                : (bias == null ? Epilogue.GELU : Epilogue.GELU_BIAS);
    }

    /** What a node asks of the libraries, where its factors are as they are or stretched to the whole batch. */
    private Product product(MatMul op, Node node, DType result, Epilogue epilogue) {
        Value a = node.input(0), b = node.input(1), c = node.output(0);
        long m = c.dim(-2), n = c.dim(-1), k = a.dim(op.transposeA() ? -2 : -1);
        long batch = batches(c).elements();
        long strideA = stride(a), strideB = stride(b);
        if (batch > 1 && strideB == 0 && !op.transposeA() && strideA != 0) {
            // One matrix for all batches: their rows are the rows of one product.
            m *= batch;
            batch = 1;
        }
        return new Product(
                c.dtype(),
                result,
                precision(node),
                op.transposeA(),
                op.transposeB(),
                m,
                n,
                k,
                batch,
                strideA,
                strideB,
                epilogue);
    }

    private static Shape batches(Value c) {
        return c.shape().slice(0, c.rank() - 2);
    }

    /**
     * A product.
     *
     * @param own the bias that its value holds, one number for each column, may be null
     * @param fused what else is done, may be null
     */
    void multiply(MatMul op, Node node, Value own, Fused fused) {
        Value a = node.input(0), b = node.input(1), c = node.output(0);
        Value bias = fused != null && fused.bias() != null ? fused.bias() : own;
        if (c.shape().elements() == 0 || a.dim(op.transposeA() ? -2 : -1) == 0) {
            // Nothing is added or fused where there are no elements.
            assembly.clear(assembly.describe(node), node.scope(), assembly.define(c, Layout.PLAIN));
            return;
        }
        if (a == b
                && op.transposeA() != op.transposeB()
                && bias == null
                && fused == null
                && batches(c).elements() == 1
                && !c.dtype().half()) {
            gram(op, node);
            return;
        }
        Shape batches = batches(c);
        Epilogue epilogue = epilogue(fused, bias);
        Value result = fused == null ? c : fused.result();
        Product product = product(op, node, result.dtype(), epilogue);
        List<Buffer> reads = new ArrayList<>(List.of(factor(a, batches), factor(b, batches)));
        List<Buffer> writes = new ArrayList<>();
        StringBuilder what = new StringBuilder(assembly.describe(node));
        if (bias != null) {
            reads.add(assembly.plain(bias));
            what.append(" plus bias ").append(bias);
        }
        if (epilogue.auxiliary() == Use.READ) {
            reads.add(kept.get(fused.before()));
        }
        writes.add(assembly.define(result, Layout.PLAIN));
        if (epilogue.auxiliary() == Use.WRITTEN) {
            writes.add(keep(fused, product));
        }
        if (epilogue.bias() == Use.WRITTEN) {
            writes.add(assembly.define(fused.biasGradient(), Layout.PLAIN));
        }
        what.append(fused == null ? "" : said(fused));
        assembly.call(what.toString(), node.scope(), math.product(product), reads, writes);
    }

    /** Memory for what the gradients' products need: signs, or the value before the activation, which others may read. */
    private Buffer keep(Fused fused, Product product) {
        Buffer buffer = fused.activation() == Activation.RELU
                ? Buffer.temporary(product.auxiliaryBytes())
                : assembly.define(fused.before(), Layout.PLAIN);
        kept.put(fused.before(), buffer);
        return buffer;
    }

    private static String said(Fused fused) {
        StringBuilder what = new StringBuilder();
        if (fused.activation() != null) {
            what.append(fused.gradient() ? " times the slope of " : ", then ")
                    .append(fused.activation())
                    .append(" to ")
                    .append(fused.result());
        }
        if (fused.biasGradient() != null) {
            what.append(
                            switch (fused.summed()) {
                                case LEFT -> ", sums of the left factor's rows to ";
                                case RIGHT -> ", sums of the right factor's columns to ";
                                case RESULT, NOTHING -> ", sums of the columns to ";
                            })
                    .append(fused.biasGradient());
        }
        return what.toString();
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

    private static long own(Value value) {
        Shape matrix = value.shape().slice(value.rank() - 2, value.rank());
        return value.shape().elements() / matrix.elements();
    }

    /** The elements from one product's matrix to the next's. */
    private static long stride(Value factor) {
        return own(factor) == 1 ? 0 : factor.dim(-2) * factor.dim(-1);
    }

    /** A factor's memory. */
    private Buffer factor(Value value, Shape batches) {
        if (own(value) == 1 || own(value) == batches.elements()) {
            return assembly.plain(value);
        }
        // Shared along some axes of the batch only: one stride cannot say that.
        Shape matrix = value.shape().slice(value.rank() - 2, value.rank());
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
        return stretched;
    }
}
