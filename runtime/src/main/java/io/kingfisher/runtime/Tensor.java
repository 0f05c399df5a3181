package io.kingfisher.runtime;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Memory of one type and shape on one device, in row-major order, aligned to 64 bytes: a parameter, a state, an input. Whoever
 * allocated a tensor closes it; closing its device closes it too. A closed tensor refuses every use with an exception.
 *
 * <p>Reading and writing from the host is for setting up, saving and looking; nothing here is on the hot path.
 */
public final class Tensor implements AutoCloseable {
    private final Device device;
    private final DType dtype;
    private final Shape shape;
    private final MemorySegment memory;
    private final Arena arena;
    private volatile boolean closed;

    /** Memory of its own where {@code arena} is given, else a view of memory that somebody else frees. */
    Tensor(Device device, DType dtype, Shape shape, MemorySegment memory, Arena arena) {
        this.device = device;
        this.dtype = dtype;
        this.shape = shape;
        this.memory = memory;
        this.arena = arena;
    }

    public Device device() {
        return device;
    }

    public DType dtype() {
        return dtype;
    }

    public Shape shape() {
        return shape;
    }

    public long elements() {
        return shape.elements();
    }

    public long bytes() {
        return elements() * dtype.bytes();
    }

    public boolean isClosed() {
        return closed;
    }

    /**
     * The memory itself, for devices whose memory the host can address.
     *
     * @throws KingfisherException if the tensor is closed
     */
    public MemorySegment segment() {
        if (closed) {
            throw new KingfisherException("The tensor " + dtype + shape + " on " + device.name()
                    + " is closed; keep it open for as long as programs and callers use it.");
        }
        return memory;
    }

    /** Overwrites all elements, converted to the tensor's type. */
    public void write(float... values) {
        expect(values.length);
        for (int i = 0; i < values.length; i++) {
            set(i, values[i]);
        }
    }

    /** Overwrites all elements, converted to the tensor's type. */
    public void write(double... values) {
        expect(values.length);
        for (int i = 0; i < values.length; i++) {
            set(i, values[i]);
        }
    }

    /** Overwrites all elements, converted to the tensor's type. */
    public void write(int... values) {
        expect(values.length);
        for (int i = 0; i < values.length; i++) {
            set(i, values[i]);
        }
    }

    /** Overwrites all bytes with another segment's, which has as many and the same layout. */
    public void write(MemorySegment source) {
        if (source.byteSize() != bytes()) {
            throw new KingfisherException(
                    "A tensor " + dtype + shape + " has " + bytes() + " bytes, not " + source.byteSize() + ".");
        }
        segment().copyFrom(source);
    }

    /** Sets every element. */
    public void fill(double value) {
        for (long i = 0; i < elements(); i++) {
            set(i, value);
        }
    }

    /** All elements as floats, in row-major order. */
    public float[] floats() {
        float[] result = new float[Math.toIntExact(elements())];
        for (int i = 0; i < result.length; i++) {
            result[i] = (float) get(i);
        }
        return result;
    }

    /** All elements as doubles, in row-major order. */
    public double[] doubles() {
        double[] result = new double[Math.toIntExact(elements())];
        for (int i = 0; i < result.length; i++) {
            result[i] = get(i);
        }
        return result;
    }

    /** The only element of a scalar. */
    public double item() {
        if (elements() != 1) {
            throw new KingfisherException("Only a tensor of one element has an item, not " + dtype + shape + ".");
        }
        return get(0);
    }

    /** The element at a place counted in row-major order. */
    public double get(long index) {
        MemorySegment m = segment();
        return switch (dtype) {
            case F32 -> m.getAtIndex(ValueLayout.JAVA_FLOAT, index);
            case F64 -> m.getAtIndex(ValueLayout.JAVA_DOUBLE, index);
            case BF16 -> Float.intBitsToFloat(m.getAtIndex(ValueLayout.JAVA_SHORT, index) << 16);
            case I32 -> m.getAtIndex(ValueLayout.JAVA_INT, index);
            case U8 -> m.getAtIndex(ValueLayout.JAVA_BYTE, index) & 0xff;
        };
    }

    /** Sets the element at a place counted in row-major order. */
    public void set(long index, double value) {
        MemorySegment m = segment();
        switch (dtype) {
            case F32 -> m.setAtIndex(ValueLayout.JAVA_FLOAT, index, (float) value);
            case F64 -> m.setAtIndex(ValueLayout.JAVA_DOUBLE, index, value);
            case BF16 -> m.setAtIndex(ValueLayout.JAVA_SHORT, index, toBf16((float) value));
            case I32 -> m.setAtIndex(ValueLayout.JAVA_INT, index, (int) value);
            case U8 -> m.setAtIndex(ValueLayout.JAVA_BYTE, index, (byte) (int) value);
        }
    }

    /** The nearest BF16, ties to even; a NaN stays one. */
    public static short toBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 0x40);
        }
        return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }

    private void expect(long count) {
        if (count != elements()) {
            throw new KingfisherException(
                    "A tensor " + dtype + shape + " has " + elements() + " elements, not " + count + ".");
        }
    }

    /** Frees the memory. Programs that use the tensor must be closed before. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            device.forget(this);
            if (arena != null) {
                arena.close();
            }
        }
    }

    @Override
    public String toString() {
        return "Tensor " + dtype + shape + (closed ? " (closed)" : "");
    }
}
