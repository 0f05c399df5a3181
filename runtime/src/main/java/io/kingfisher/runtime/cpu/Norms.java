package io.kingfisher.runtime.cpu;

import io.kingfisher.nativebindings.dnnl.DnnlMemoryDesc;
import io.kingfisher.nativebindings.dnnl.DnnlPrimitiveDesc;
import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.BatchNorm;
import io.kingfisher.runtime.graph.BatchNormGrad;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.LayerNorm;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.plan.Buffer;

/** Batch and layer normalisation by oneDNN. */
final class Norms {
    private static final int SCALE_AND_SHIFT = dnnl_h.dnnl_use_scale() | dnnl_h.dnnl_use_shift();

    private final Assembly assembly;
    private final OneDnn onednn;
    private final Loops loops;

    Norms(Assembly assembly, Loops loops) {
        this.assembly = assembly;
        this.onednn = assembly.onednn();
        this.loops = loops;
    }

    /** Batch norm keeps its image's layout: channels in blocks stay in blocks. */
    void batch(BatchNorm op, Node node) {
        Value x = node.input(0), y = node.output(0);
        Assembly.Stored image = image(x);
        try (DnnlMemoryDesc desc = desc(x, image.layout())) {
            DnnlPrimitiveDesc pd = assembly.resources().keep(forward(desc, op.epsilon()));
            new PrimitiveCall(assembly, pd)
                    .read(dnnl_h.DNNL_ARG_SRC(), image.buffer())
                    .read(dnnl_h.DNNL_ARG_SCALE(), assembly.plain(node.input(1)))
                    .read(dnnl_h.DNNL_ARG_SHIFT(), assembly.plain(node.input(2)))
                    .write(dnnl_h.DNNL_ARG_DST(), assembly.define(y, image.layout()))
                    .write(dnnl_h.DNNL_ARG_MEAN(), assembly.define(node.output(1)))
                    .write(dnnl_h.DNNL_ARG_VARIANCE(), assembly.define(node.output(2)))
                    .emit(assembly.describe(node, ""), node.scope());
        }
    }

    void batchGradient(BatchNormGrad op, Node node) {
        Value x = node.input(0), dy = node.input(4);
        Assembly.Stored image = image(x);
        try (DnnlMemoryDesc desc = desc(x, image.layout());
                DnnlPrimitiveDesc hint = forward(desc, op.epsilon())) {
            DnnlPrimitiveDesc pd = assembly.resources()
                    .keep(DnnlPrimitiveDesc.batchNormalizationBackward(
                            onednn.engine(),
                            dnnl_h.dnnl_backward(),
                            desc,
                            desc,
                            desc,
                            (float) op.epsilon(),
                            SCALE_AND_SHIFT,
                            hint,
                            onednn.attributes()));
            new PrimitiveCall(assembly, pd)
                    .read(dnnl_h.DNNL_ARG_SRC(), image.buffer())
                    .read(dnnl_h.DNNL_ARG_SCALE(), assembly.plain(node.input(1)))
                    .read(dnnl_h.DNNL_ARG_MEAN(), assembly.plain(node.input(2)))
                    .read(dnnl_h.DNNL_ARG_VARIANCE(), assembly.plain(node.input(3)))
                    .read(
                            dnnl_h.DNNL_ARG_DIFF_DST(),
                            image.layout().plain() ? assembly.plain(dy) : assembly.in(dy, desc))
                    .write(dnnl_h.DNNL_ARG_DIFF_SRC(), assembly.define(node.output(0), image.layout()))
                    .write(dnnl_h.DNNL_ARG_DIFF_SCALE(), assembly.define(node.output(1)))
                    .write(dnnl_h.DNNL_ARG_DIFF_SHIFT(), assembly.define(node.output(2)))
                    .emit(assembly.describe(node, ""), node.scope());
        }
    }

    private DnnlPrimitiveDesc forward(DnnlMemoryDesc desc, double epsilon) {
        return DnnlPrimitiveDesc.batchNormalizationForward(
                onednn.engine(),
                dnnl_h.dnnl_forward_training(),
                desc,
                desc,
                (float) epsilon,
                SCALE_AND_SHIFT,
                onednn.attributes());
    }

    private Assembly.Stored image(Value x) {
        Assembly.Stored stored = assembly.primary(x);
        return stored.layout().plain() || stored.layout().dense()
                ? stored
                : new Assembly.Stored(assembly.plain(x), Layout.PLAIN);
    }

    /** The descriptor of an image [N x C x ...] in a layout; row-major ones are [N x C x rest x 1]. */
    private DnnlMemoryDesc desc(Value x, Layout layout) {
        if (!layout.plain()) {
            return layout.desc().copy();
        }
        long n = x.dim(0), c = x.dim(1);
        return x.rank() == 4
                ? onednn.plain(DType.F32, x.shape())
                : onednn.plain(DType.F32, Shape.of(n, c, x.shape().elements() / (n * c), 1));
    }

    /** oneDNN hands out variances where the graph wants reciprocal deviations. */
    void layer(LayerNorm op, Node node) {
        Value x = node.input(0);
        Type row = node.output(2).type();
        Buffer variance = Buffer.temporary(row.bytes());
        try (DnnlMemoryDesc desc = rows(x);
                DnnlMemoryDesc statistics = statistics(x)) {
            DnnlPrimitiveDesc pd = assembly.resources().keep(layerForward(desc, statistics, op.epsilon()));
            new PrimitiveCall(assembly, pd)
                    .read(dnnl_h.DNNL_ARG_SRC(), assembly.plain(x))
                    .read(dnnl_h.DNNL_ARG_SCALE(), assembly.plain(node.input(1)))
                    .read(dnnl_h.DNNL_ARG_SHIFT(), assembly.plain(node.input(2)))
                    .write(dnnl_h.DNNL_ARG_DST(), assembly.define(node.output(0)))
                    .write(dnnl_h.DNNL_ARG_MEAN(), assembly.define(node.output(1)))
                    .write(dnnl_h.DNNL_ARG_VARIANCE(), variance)
                    .emit(assembly.describe(node, ""), node.scope());
        }
        Expr rstd = Expr.arg(0).add(op.epsilon()).pow(-0.5);
        loops.map("Reciprocal deviation", node.scope(), rstd, row, variance, assembly.define(node.output(2)));
    }

    void layerGradient(Node node) {
        Value x = node.input(0);
        Type row = node.input(3).type();
        Buffer variance = Buffer.temporary(row.bytes());
        // With an epsilon of 0 below, this is the variance that has the given reciprocal deviation.
        Expr inverse = Expr.arg(0).pow(-2);
        loops.map("Variance", node.scope(), inverse, row, assembly.plain(node.input(3)), variance);
        try (DnnlMemoryDesc desc = rows(x);
                DnnlMemoryDesc statistics = statistics(x);
                DnnlPrimitiveDesc hint = layerForward(desc, statistics, 0)) {
            DnnlPrimitiveDesc pd = assembly.resources()
                    .keep(DnnlPrimitiveDesc.layerNormalizationBackward(
                            onednn.engine(),
                            dnnl_h.dnnl_backward(),
                            desc,
                            desc,
                            desc,
                            statistics,
                            0,
                            SCALE_AND_SHIFT,
                            hint,
                            onednn.attributes()));
            new PrimitiveCall(assembly, pd)
                    .read(dnnl_h.DNNL_ARG_SRC(), assembly.plain(x))
                    .read(dnnl_h.DNNL_ARG_SCALE(), assembly.plain(node.input(1)))
                    .read(dnnl_h.DNNL_ARG_MEAN(), assembly.plain(node.input(2)))
                    .read(dnnl_h.DNNL_ARG_VARIANCE(), variance)
                    .read(dnnl_h.DNNL_ARG_DIFF_DST(), assembly.plain(node.input(4)))
                    .write(dnnl_h.DNNL_ARG_DIFF_SRC(), assembly.define(node.output(0)))
                    .write(dnnl_h.DNNL_ARG_DIFF_SCALE(), assembly.define(node.output(1)))
                    .write(dnnl_h.DNNL_ARG_DIFF_SHIFT(), assembly.define(node.output(2)))
                    .emit(assembly.describe(node, ""), node.scope());
        }
    }

    private DnnlPrimitiveDesc layerForward(DnnlMemoryDesc desc, DnnlMemoryDesc statistics, double epsilon) {
        return DnnlPrimitiveDesc.layerNormalizationForward(
                onednn.engine(),
                dnnl_h.dnnl_forward_training(),
                desc,
                desc,
                statistics,
                (float) epsilon,
                SCALE_AND_SHIFT,
                onednn.attributes());
    }

    private DnnlMemoryDesc rows(Value x) {
        long d = x.dim(-1);
        return onednn.plain(DType.F32, Shape.of(x.shape().elements() / d, d));
    }

    private DnnlMemoryDesc statistics(Value x) {
        return onednn.plain(DType.F32, Shape.of(x.shape().elements() / x.dim(-1)));
    }
}
