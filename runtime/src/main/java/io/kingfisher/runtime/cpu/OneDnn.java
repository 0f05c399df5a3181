package io.kingfisher.runtime.cpu;

import io.kingfisher.nativebindings.dnnl.DnnlAttributes;
import io.kingfisher.nativebindings.dnnl.DnnlEngine;
import io.kingfisher.nativebindings.dnnl.DnnlMemoryDesc;
import io.kingfisher.nativebindings.dnnl.DnnlStream;
import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;

/** The device's part of oneDNN: one engine, one stream, and the attributes of every primitive. */
final class OneDnn implements AutoCloseable {
    private final DnnlEngine engine = DnnlEngine.cpu();
    private final DnnlStream stream = new DnnlStream(engine);
    // Strict fp32 sums; scratch memory comes from the program's block.
    private final DnnlAttributes attributes = new DnnlAttributes().userScratchpad();

    DnnlEngine engine() {
        return engine;
    }

    DnnlStream stream() {
        return stream;
    }

    DnnlAttributes attributes() {
        return attributes;
    }

    /** oneDNN's number of a type. */
    int type(DType dtype) {
        return switch (dtype) {
            case F32 -> dnnl_h.dnnl_f32();
            case F64 -> dnnl_h.dnnl_f64();
            case BF16 -> dnnl_h.dnnl_bf16();
            case F16 -> dnnl_h.dnnl_f16();
            case I32 -> dnnl_h.dnnl_s32();
            case U8 -> dnnl_h.dnnl_u8();
        };
    }

    DnnlMemoryDesc plain(DType dtype, Shape shape) {
        return DnnlMemoryDesc.rowMajor(type(dtype), shape.toArray());
    }

    @Override
    public void close() {
        attributes.close();
        stream.close();
        engine.close();
    }
}
