package io.kingfisher.runtime.reference;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Plain Java in double precision: slow, obvious, and what the other devices are checked against. Every op is computed from
 * its definition, fused ones included. Values of integer types and of BF16 and F16 are converted where an op makes them; F32 ones
 * keep double precision until they are written to a tensor.
 */
public final class ReferenceDevice extends Device {
    private final boolean rounding;

    public ReferenceDevice() {
        this(false);
    }

    /**
     * @param rounding whether every intermediate result is rounded, to F32 or in F64 to 43 bits: how far the results then move
     *     says how strongly a graph amplifies a device's rounding errors
     */
    public ReferenceDevice(boolean rounding) {
        this.rounding = rounding;
    }

    @Override
    public String name() {
        return "reference";
    }

    @Override
    public List<String> report() {
        return List.of("reference: plain Java, one thread, every intermediate result "
                + (rounding ? "rounded to its own type" : "in double precision"));
    }

    @Override
    protected Program prepare(Graph graph) {
        return new ReferenceProgram(this, graph, rounding);
    }

    Tensor viewOf(DType dtype, Shape shape, MemorySegment memory) {
        return view(dtype, shape, memory);
    }

    void closed(Program program) {
        forget(program);
    }
}
