package io.kingfisher.nativebindings.dnnl;

import io.kingfisher.nativebindings.dnnl.generated.dnnl_exec_arg_t;
import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.Map;

/** {@code dnnl_primitive_t}: compiled code, to be executed any number of times. */
public final class DnnlPrimitive extends DnnlHandle {
    /** Compiles what the descriptor describes. */
    public DnnlPrimitive(DnnlPrimitiveDesc desc) {
        super(
                Dnnl.create(
                        "dnnl_primitive_create", (scratch, out) -> dnnl_h.dnnl_primitive_create(out, desc.handle())),
                "dnnl_primitive_destroy",
                dnnl_h::dnnl_primitive_destroy);
    }

    /**
     * Makes the array of arguments for {@link #execute}.
     *
     * @param arguments by number, such as {@code DNNL_ARG_SRC}; they outlive the array
     */
    public static MemorySegment arguments(SegmentAllocator allocator, Map<Integer, DnnlMemory> arguments) {
        var array = dnnl_exec_arg_t.allocateArray(arguments.size(), allocator);
        int i = 0;
        for (var argument : arguments.entrySet()) {
            var element = dnnl_exec_arg_t.asSlice(array, i++);
            dnnl_exec_arg_t.arg(element, argument.getKey());
            dnnl_exec_arg_t.memory(element, argument.getValue().handle());
        }
        return array;
    }

    /**
     * Executes; allocates nothing.
     *
     * @param arguments what {@link #arguments} made
     * @throws io.kingfisher.nativebindings.NativeException if it fails
     */
    public void execute(DnnlStream stream, MemorySegment arguments) {
        int count = (int) (arguments.byteSize() / dnnl_exec_arg_t.sizeof());
        Dnnl.primitive_execute(handle(), stream.handle(), count, arguments);
    }
}
