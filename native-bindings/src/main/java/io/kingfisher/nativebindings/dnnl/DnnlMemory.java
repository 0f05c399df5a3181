package io.kingfisher.nativebindings.dnnl;

import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;
import java.lang.foreign.MemorySegment;

/** {@code dnnl_memory_t}: a descriptor bound to memory that someone else owns. */
public final class DnnlMemory extends DnnlHandle {
    /**
     * Binds memory.
     *
     * @param desc the layout, copied
     * @param data at least {@link DnnlMemoryDesc#bytes} of native memory that outlives this; {@code MemorySegment.NULL}
     *     where {@link #setData} binds it later
     */
    public DnnlMemory(DnnlEngine engine, DnnlMemoryDesc desc, MemorySegment data) {
        super(
                Dnnl.create(
                        "dnnl_memory_create",
                        (scratch, out) ->
                                dnnl_h.dnnl_memory_create(out, desc.handle(), engine.handle(), checkSize(desc, data))),
                "dnnl_memory_destroy",
                dnnl_h::dnnl_memory_destroy);
    }

    private static MemorySegment checkSize(DnnlMemoryDesc desc, MemorySegment data) {
        // A segment of length 0 is a bare address, whose size only the caller knows.
        if (data.byteSize() > 0 && data.byteSize() < desc.bytes()) {
            throw new IllegalArgumentException("memory of " + data.byteSize() + " bytes is too small for " + desc
                    + ", which takes " + desc.bytes());
        }
        return data;
    }

    /** Binds other memory; allocates nothing. */
    public void setData(MemorySegment data) {
        Dnnl.memory_set_data_handle(handle(), data);
    }
}
