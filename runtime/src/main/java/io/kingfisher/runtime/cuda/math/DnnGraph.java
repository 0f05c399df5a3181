package io.kingfisher.runtime.cuda.math;

import static io.kingfisher.nativebindings.cudnn.generated.cudnn_h.*;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.cuda.math.Descriptor.Attribute.Choice;
import io.kingfisher.runtime.cuda.math.Descriptor.Attribute.Flag;
import io.kingfisher.runtime.cuda.math.Descriptor.Attribute.Longs;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A graph of cuDNN operations.
 *
 * @param operations their descriptors
 * @param operands for each address of the call, the unique id of its tensor
 * @param bytes for each address of the call, the size of its memory
 * @param constants scalars that are given by value
 * @param scratch tensors between operations that are in memory
 * @param what for messages and as the key of what has been measured: all that the choice of an algorithm depends on
 */
record DnnGraph(
        List<Descriptor> operations,
        List<Long> operands,
        List<Long> bytes,
        List<Constant> constants,
        List<Scratch> scratch,
        String what) {

    /** A tensor in memory of the plan's own. */
    record Scratch(long id, long bytes) {
        long aligned() {
            return (bytes + 255) & -256;
        }
    }

    /** A scalar F32 tensor that is given by value. */
    record Constant(long id, float value) {}

    /** What addresses are multiples of; enough for the widest loads. */
    private static final long ALIGNMENT = 16;

    /** Bytes of scratch tensors, each aligned. */
    long scratchBytes() {
        return scratch.stream().mapToLong(Scratch::aligned).sum();
    }

    static int type(DType dtype) {
        return switch (dtype) {
            case F32 -> CUDNN_DATA_FLOAT();
            case F64 -> CUDNN_DATA_DOUBLE();
            case BF16 -> CUDNN_DATA_BFLOAT16();
            case F16 -> CUDNN_DATA_HALF();
            case I32, U8 -> throw new IllegalArgumentException("no cuDNN tensor of " + dtype);
        };
    }

    /** A tensor: {@code special} says that it is virtual or by value. */
    static Descriptor tensor(long id, int type, long[] dims, long[] strides, Flag... special) {
        List<Descriptor.Attribute> attributes = new ArrayList<>(List.of(
                new Choice(CUDNN_ATTR_TENSOR_DATA_TYPE(), CUDNN_TYPE_DATA_TYPE(), type),
                new Longs(CUDNN_ATTR_TENSOR_DIMENSIONS(), list(dims)),
                new Longs(CUDNN_ATTR_TENSOR_STRIDES(), list(strides)),
                new Longs(CUDNN_ATTR_TENSOR_UNIQUE_ID(), List.of(id)),
                new Longs(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT(), List.of(ALIGNMENT))));
        attributes.addAll(List.of(special));
        return new Descriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR(), attributes.toArray(Descriptor.Attribute[]::new));
    }

    static List<Long> list(long... values) {
        return Arrays.stream(values).boxed().toList();
    }
}
