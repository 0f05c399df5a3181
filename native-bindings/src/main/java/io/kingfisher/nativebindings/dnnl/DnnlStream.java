package io.kingfisher.nativebindings.dnnl;

import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;

/** {@code dnnl_stream_t}: an order of execution on an engine. */
public final class DnnlStream extends DnnlHandle {
    /** Makes a stream that executes in order. */
    public DnnlStream(DnnlEngine engine) {
        super(
                Dnnl.create(
                        "dnnl_stream_create",
                        (scratch, out) ->
                                dnnl_h.dnnl_stream_create(out, engine.handle(), dnnl_h.dnnl_stream_in_order())),
                "dnnl_stream_destroy",
                dnnl_h::dnnl_stream_destroy);
    }

    /** Waits until all that was executed on the stream is done. On a CPU engine execution is done when it returns. */
    public void await() {
        Dnnl.stream_wait(handle());
    }
}
