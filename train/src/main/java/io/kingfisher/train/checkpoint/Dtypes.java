package io.kingfisher.train.checkpoint;

import java.util.List;

/** The element types of the safetensors format. */
final class Dtypes {
    private Dtypes() {}

    /** Bytes per element; 0 for a name the format does not have. */
    static int size(String dtype) {
        return switch (dtype) {
            case "F64", "I64", "U64" -> 8;
            case "F32", "I32", "U32" -> 4;
            case "F16", "BF16", "I16", "U16" -> 2;
            case "I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2" -> 1;
            default -> 0;
        };
    }

    /**
     * Bytes of a whole tensor.
     *
     * @throws IllegalArgumentException for an unknown dtype, a negative size, or more bytes than a long can count
     */
    static long byteSize(String dtype, List<Long> shape) {
        int size = size(dtype);
        if (size == 0) {
            throw new IllegalArgumentException("dtype '" + dtype + "' is not known");
        }
        boolean empty = false;
        for (long n : shape) {
            if (n < 0) {
                throw new IllegalArgumentException("shape " + shape + " has a negative size");
            }
            empty |= n == 0;
        }
        if (empty) {
            return 0; // whatever the other sizes are, even where their product would overflow
        }
        long bytes = size;
        for (long n : shape) {
            if (Math.multiplyHigh(bytes, n) != 0 || bytes * n < 0) {
                throw new IllegalArgumentException("shape " + shape + " is too large");
            }
            bytes *= n;
        }
        return bytes;
    }
}
