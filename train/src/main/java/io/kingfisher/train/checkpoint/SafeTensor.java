package io.kingfisher.train.checkpoint;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * A named tensor of a safetensors file.
 *
 * @param name its name, such as {@code conv1.weight}
 * @param dtype the format's name of the element type: F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8, BOOL,
 *     F8_E4M3, F8_E5M2
 * @param shape sizes, outermost first; empty for a scalar
 * @param data the elements in row-major order and little-endian bytes, exactly as many bytes as shape and dtype make
 */
public record SafeTensor(String name, String dtype, List<Long> shape, MemorySegment data) {
    public SafeTensor {
        shape = List.copyOf(shape);
        long bytes = Dtypes.byteSize(dtype, shape);
        if (data.byteSize() != bytes) {
            throw new IllegalArgumentException(
                    "tensor '" + name + "' " + dtype + shape + " needs " + bytes + " bytes and has " + data.byteSize());
        }
    }

    /** The same with the shape as an array. */
    public SafeTensor(String name, String dtype, long[] shape, MemorySegment data) {
        this(name, dtype, Arrays.stream(shape).boxed().toList(), data);
    }

    /** The shape as a new array. */
    public long[] shapeArray() {
        return shape.stream().mapToLong(Long::longValue).toArray();
    }

    /** How many elements it has. */
    public long elements() {
        return data.byteSize() / Dtypes.size(dtype);
    }
}
