package io.kingfisher.runtime.cpu;

import io.kingfisher.nativebindings.dnnl.DnnlMemoryDesc;
import io.kingfisher.nativebindings.dnnl.DnnlPrimitiveDesc;
import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.layout.View;
import io.kingfisher.runtime.plan.Buffer;
import io.kingfisher.runtime.plan.Instruction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Pooling of images whose channels come last or in blocks. */
final class Pools {
    /** Larger windows make more code than is compiled well. */
    private static final int MOST_CELLS = 9;

    private final Assembly assembly;
    private final OneDnn onednn;
    private final Loops loops;

    Pools(Assembly assembly, Loops loops) {
        this.loops = loops;
        this.assembly = assembly;
        this.onednn = assembly.onednn();
    }

    /** Does what oneDNN does as the graph says; false, and nothing done, for the rest. */
    boolean lower(Pool op, Node node) {
        if (node.inputs().stream()
                .map(value -> assembly.primary(value).layout())
                .noneMatch(Layout::image)) {
            return false;
        }
        return switch (op) {
            case Pool.MaxPool2d _ -> max(op, node);
            case Pool.MaxPool2dGrad _ -> maxGradient(op, node);
            case Pool.AvgPool2d _ -> average(op, node);
            case Pool.AvgPool2dGrad _ -> averageGradient(op, node);
            case Pool.MaxPool2dGather _ -> false;
        };
    }

    /**
     * oneDNN's maximum overlooks NaN and finds no -infinity, so that it serves only where the image is finite; otherwise the
     * maximum is an elementwise function of the window's cells, each a view of the image. oneDNN's workspace is the place of
     * the maximum in the window, as the graph wants it.
     */
    private boolean max(Pool op, Node node) {
        Pool.Window window = op.window();
        Value x = node.input(0), y = node.output(0), places = node.output(1);
        Assembly.Stored image = assembly.primary(x);
        if (window.paddingH() + window.paddingW() > 0 || window.kernelH() * window.kernelW() > MOST_CELLS) {
            return false;
        }
        try (DnnlMemoryDesc src = like(image.layout(), x);
                DnnlMemoryDesc dst = like(image.layout(), y)) {
            DnnlPrimitiveDesc pd = assembly.resources().keep(forward(op, dnnl_h.dnnl_pooling_max(), src, dst));
            DnnlMemoryDesc workspace = pd.argument(dnnl_h.DNNL_ARG_WORKSPACE());
            if (!positions(workspace, places)) {
                workspace.close();
                return false;
            }
            Buffer most = assembly.define(y, pd.argument(dnnl_h.DNNL_ARG_DST()));
            Buffer place = assembly.define(places, workspace);
            Instruction<CpuStep> fast = new PrimitiveCall(assembly, pd)
                    .read(dnnl_h.DNNL_ARG_SRC(), image.buffer())
                    .write(dnnl_h.DNNL_ARG_DST(), most)
                    .write(dnnl_h.DNNL_ARG_WORKSPACE(), place)
                    .instruction(assembly.describe(node, ""), node.scope());
            List<View> cells = new ArrayList<>();
            for (int h = 0; h < window.kernelH(); h++) {
                for (int w = 0; w < window.kernelW(); w++) {
                    cells.add(image.layout().cells(x.type(), y.shape(), h, w, window.strideH(), window.strideW()));
                }
            }
            Type flat = new Type(x.dtype(), Shape.of(x.shape().elements()));
            loops.finiteOr(
                    fast,
                    flat,
                    image.buffer(),
                    List.of(most, place),
                    first(cells.size()),
                    List.of(y.dtype(), DType.U8),
                    cells);
            return true;
        }
    }

    /** The maximum of some arguments, NaN where one is, and the number of the first that it is. */
    private static List<Expr> first(int count) {
        Expr most = Expr.arg(0), place = Expr.of(0);
        for (int k = 1; k < count; k++) {
            // Neither smaller nor equal: larger, or one is NaN, of which the first stays.
            Expr takes = Expr.select(Expr.arg(k).lessOrEqual(most), Expr.of(0), most.equalTo(most));
            place = Expr.select(takes, Expr.of(k), place);
            most = Expr.select(takes, Expr.arg(k), most);
        }
        return List.of(most, place);
    }

    /** Whether a workspace is one byte for each element of the output. */
    private static boolean positions(DnnlMemoryDesc workspace, Value places) {
        return workspace.bytes() > 0
                && workspace.dataType() == dnnl_h.dnnl_u8()
                && Arrays.equals(workspace.dims(), places.shape().toArray());
    }

    private boolean maxGradient(Pool op, Node node) {
        Value dy = node.input(0), places = node.input(1), dx = node.output(0);
        return gradient(op, node, dnnl_h.dnnl_pooling_max(), dy, places, dx);
    }

    private boolean averageGradient(Pool op, Node node) {
        return gradient(op, node, dnnl_h.dnnl_pooling_avg_include_padding(), node.input(0), null, node.output(0));
    }

    private boolean average(Pool op, Node node) {
        Value x = node.input(0);
        int algorithm = dnnl_h.dnnl_pooling_avg_include_padding();
        try (DnnlMemoryDesc image = image(x);
                DnnlMemoryDesc any = any(node.output(0).shape())) {
            DnnlPrimitiveDesc pd = assembly.resources().keep(forward(op, algorithm, image, any));
            new PrimitiveCall(assembly, pd)
                    .read(dnnl_h.DNNL_ARG_SRC(), assembly.in(x, image))
                    .write(dnnl_h.DNNL_ARG_DST(), assembly.define(node.output(0), pd.argument(dnnl_h.DNNL_ARG_DST())))
                    .emit(assembly.describe(node, ""), node.scope());
            return true;
        }
    }

    /** The gradient in dy's layout, or that of the places where they are blocked. */
    private boolean gradient(Pool op, Node node, int algorithm, Value dy, Value places, Value dx) {
        try (DnnlMemoryDesc output =
                        like(assembly.primary(places == null ? dy : places).layout(), dy);
                DnnlMemoryDesc any = any(dx.shape());
                DnnlPrimitiveDesc hint = hint(op, algorithm, dx, output)) {
            DnnlPrimitiveDesc pd = assembly.resources()
                    .keep(DnnlPrimitiveDesc.poolingBackward(
                            onednn.engine(),
                            algorithm,
                            any,
                            output,
                            strides(op),
                            kernel(op),
                            new long[2],
                            padding(op),
                            padding(op),
                            hint,
                            onednn.attributes()));
            PrimitiveCall call = new PrimitiveCall(assembly, pd);
            if (places != null) {
                try (DnnlMemoryDesc workspace = pd.argument(dnnl_h.DNNL_ARG_WORKSPACE())) {
                    if (!positions(workspace, places)) {
                        return false;
                    }
                    call.read(dnnl_h.DNNL_ARG_WORKSPACE(), assembly.in(places, workspace));
                }
            }
            call.read(dnnl_h.DNNL_ARG_DIFF_DST(), assembly.in(dy, output))
                    .write(dnnl_h.DNNL_ARG_DIFF_SRC(), assembly.define(dx, pd.argument(dnnl_h.DNNL_ARG_DIFF_SRC())))
                    .emit(assembly.describe(node, ""), node.scope());
            return true;
        }
    }

    /** The forward primitive whose gradient is wanted. */
    private DnnlPrimitiveDesc hint(Pool op, int algorithm, Value image, DnnlMemoryDesc output) {
        try (DnnlMemoryDesc src = like(Layout.of(output), image)) {
            return forward(op, algorithm, src, output);
        }
    }

    /** A value's descriptor in the layout of another image. */
    private DnnlMemoryDesc like(Layout layout, Value value) {
        DnnlMemoryDesc desc = layout.plain() ? null : layout.ofImage(onednn.type(DType.F32), value.shape());
        return desc == null ? onednn.plain(DType.F32, value.shape()) : desc;
    }

    private DnnlMemoryDesc image(Value x) {
        return like(assembly.primary(x).layout(), x);
    }

    private DnnlMemoryDesc any(Shape shape) {
        return DnnlMemoryDesc.any(onednn.type(DType.F32), shape.toArray());
    }

    private DnnlPrimitiveDesc forward(Pool op, int algorithm, DnnlMemoryDesc src, DnnlMemoryDesc dst) {
        return DnnlPrimitiveDesc.poolingForward(
                onednn.engine(),
                dnnl_h.dnnl_forward_training(),
                algorithm,
                src,
                dst,
                strides(op),
                kernel(op),
                new long[2],
                padding(op),
                padding(op),
                onednn.attributes());
    }

    private static long[] strides(Pool op) {
        return new long[] {op.window().strideH(), op.window().strideW()};
    }

    private static long[] kernel(Pool op) {
        return new long[] {op.window().kernelH(), op.window().kernelW()};
    }

    private static long[] padding(Pool op) {
        return new long[] {op.window().paddingH(), op.window().paddingW()};
    }
}
