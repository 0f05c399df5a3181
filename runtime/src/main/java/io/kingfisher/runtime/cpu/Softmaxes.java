package io.kingfisher.runtime.cpu;

import io.kingfisher.nativebindings.dnnl.DnnlMemoryDesc;
import io.kingfisher.nativebindings.dnnl.DnnlPrimitiveDesc;
import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;

/** Softmax over the last axis by oneDNN, on rows. */
final class Softmaxes {
    private final Assembly assembly;
    private final OneDnn onednn;

    Softmaxes(Assembly assembly) {
        this.assembly = assembly;
        this.onednn = assembly.onednn();
    }

    void forward(Node node) {
        try (DnnlMemoryDesc rows = rows(node.input(0))) {
            new PrimitiveCall(assembly, assembly.resources().keep(forward(rows)))
                    .read(dnnl_h.DNNL_ARG_SRC(), assembly.plain(node.input(0)))
                    .write(dnnl_h.DNNL_ARG_DST(), assembly.define(node.output(0)))
                    .emit(assembly.describe(node, ""), node.scope());
        }
    }

    private DnnlPrimitiveDesc forward(DnnlMemoryDesc rows) {
        return DnnlPrimitiveDesc.softmaxForward(
                onednn.engine(),
                dnnl_h.dnnl_forward_training(),
                dnnl_h.dnnl_softmax_accurate(),
                rows,
                rows,
                1,
                onednn.attributes());
    }

    private DnnlMemoryDesc rows(Value x) {
        long d = x.dim(-1);
        return onednn.plain(DType.F32, Shape.of(x.shape().elements() / d, d));
    }
}
