package io.kingfisher.nativebindings.dnnl;

import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;

/** {@code dnnl_engine_t}: a processor that oneDNN computes on. */
public final class DnnlEngine extends DnnlHandle {
    private DnnlEngine(int kind, long index) {
        super(
                Dnnl.create("dnnl_engine_create", (scratch, out) -> dnnl_h.dnnl_engine_create(out, kind, index)),
                "dnnl_engine_destroy",
                dnnl_h::dnnl_engine_destroy);
    }

    /** Makes an engine on the processor of this machine. */
    public static DnnlEngine cpu() {
        return new DnnlEngine(dnnl_h.dnnl_cpu(), 0);
    }
}
