package io.kingfisher.runtime;

/** The type of a tensor's elements. */
public enum DType {
    /** IEEE 754 single precision, the type of nearly everything. */
    F32(4, true),
    /** IEEE 754 double precision, for references and ill-conditioned solves. */
    F64(8, true),
    /** The upper half of an {@link #F32}: storage only, computed with in F32. */
    BF16(2, true),
    /** IEEE 754 half precision, up to 65504: storage only, computed with in F32. */
    F16(2, true),
    /** Signed 32-bit integers: labels, token ids, random state. */
    I32(4, false),
    /** Unsigned bytes: images, masks, positions in a pooling window. */
    U8(1, false);

    private final int bytes;
    private final boolean floating;

    DType(int bytes, boolean floating) {
        this.bytes = bytes;
        this.floating = floating;
    }

    /** The size of one element, in bytes. */
    public int bytes() {
        return bytes;
    }

    /** Whether gradients can flow through values of this type. */
    public boolean floating() {
        return floating;
    }

    /** Whether this is a type of two bytes, for storage only. */
    public boolean half() {
        return this == BF16 || this == F16;
    }

    /** The type in which elementwise operations on this type compute: F64 stays, everything else is F32. */
    public DType computeType() {
        return this == F64 ? F64 : F32;
    }
}
