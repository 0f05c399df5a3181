package io.kingfisher.runtime;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Memory of one type and shape on one device, in row-major order, aligned to 64 bytes: a parameter, a state, an input. Whoever
 * allocated a tensor closes it; closing its device closes it too. A closed tensor refuses every use with an exception.
 *
 * <p>Reading and writing from the host is for setting up, saving and looking. What is read is what all replays before have
 * left, and what is written is there for all replays after, on devices that run behind the host as well.
 */
public final class Tensor implements AutoCloseable {
    private final Device device;
    private final DType dtype;
    private final Shape shape;
    private final Memory memory;
    private volatile boolean closed;

    Tensor(Device device, DType dtype, Shape shape, Memory memory) {
        this.device = device;
        this.dtype = dtype;
        this.shape = shape;
        this.memory = memory;
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

    /** The memory where the tensor is open. */
    private Memory memory() {
        if (closed) {
            throw new KingfisherException("The tensor " + dtype + shape + " on " + device.name()
                    + " is closed; keep it open for as long as programs and callers use it.");
        }
        return memory;
    }

    /**
     * The address of the first element in the device's address space.
     *
     * @throws KingfisherException if the tensor is closed
     */
    public long address() {
        return memory().address();
    }

    /**
     * The memory itself: that of tensors on the processor, and of the inputs of programs on any device. An input's segment is
     * to be asked for before each replay, for a device may read the last one while the host fills the next.
     *
     * @throws KingfisherException if the tensor is closed, or where the host cannot address its memory
     */
    public MemorySegment segment() {
        MemorySegment segment = memory().host(Memory.Access.UPDATE);
        if (segment == null) {
            throw new KingfisherException("The host cannot address the tensor " + dtype + shape + " on " + device.name()
                    + "; copy it with read(MemorySegment) and write(MemorySegment).");
        }
        return segment;
    }

    /** Overwrites all elements, converted to the tensor's type. */
    public void write(float... values) {
        expect(values.length);
        overwrite(m -> {
            for (int i = 0; i < values.length; i++) {
                put(m, i, values[i]);
            }
        });
    }

    /** Overwrites all elements, converted to the tensor's type. */
    public void write(double... values) {
        expect(values.length);
        overwrite(m -> {
            for (int i = 0; i < values.length; i++) {
                put(m, i, values[i]);
            }
        });
    }

    /** Overwrites all elements, converted to the tensor's type. */
    public void write(int... values) {
        expect(values.length);
        overwrite(m -> {
            for (int i = 0; i < values.length; i++) {
                put(m, i, values[i]);
            }
        });
    }

    /** Overwrites all bytes with another segment's, which has as many and the same layout. */
    public void write(MemorySegment source) {
        expectBytes(source);
        MemorySegment host = memory().host(Memory.Access.OVERWRITE);
        if (host != null) {
            host.copyFrom(source);
        } else {
            memory.write(0, source);
        }
    }

    /** Copies all bytes to a segment of as many. */
    public void read(MemorySegment target) {
        expectBytes(target);
        MemorySegment host = memory().host(Memory.Access.READ);
        if (host != null) {
            target.copyFrom(host);
        } else {
            memory.read(0, target);
        }
    }

    /** All bytes, to be read at once: the memory itself where the host addresses it, else a copy in the arena. */
    public MemorySegment bytes(Arena arena) {
        MemorySegment host = memory().host(Memory.Access.READ);
        if (host != null) {
            return host;
        }
        MemorySegment copy = arena.allocate(bytes(), 64);
        memory.read(0, copy);
        return copy;
    }

    /** Sets every element. */
    public void fill(double value) {
        overwrite(m -> {
            for (long i = 0; i < elements(); i++) {
                put(m, i, value);
            }
        });
    }

    private void overwrite(Consumer<MemorySegment> writer) {
        MemorySegment host = memory().host(Memory.Access.OVERWRITE);
        if (host != null) {
            writer.accept(host);
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(bytes(), 64);
            writer.accept(copy);
            memory.write(0, copy);
        }
    }

    /** All elements as floats, in row-major order. */
    public float[] floats() {
        float[] result = new float[Math.toIntExact(elements())];
        look(m -> {
            for (int i = 0; i < result.length; i++) {
                result[i] = (float) at(m, i);
            }
        });
        return result;
    }

    /** All elements as doubles, in row-major order. */
    public double[] doubles() {
        double[] result = new double[Math.toIntExact(elements())];
        look(m -> {
            for (int i = 0; i < result.length; i++) {
                result[i] = at(m, i);
            }
        });
        return result;
    }

    private void look(Consumer<MemorySegment> reader) {
        MemorySegment host = memory().host(Memory.Access.READ);
        if (host != null) {
            reader.accept(host);
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(bytes(), 64);
            memory.read(0, copy);
            reader.accept(copy);
        }
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
        MemorySegment host = memory().host(Memory.Access.READ);
        if (host != null) {
            return at(host, index);
        }
        Objects.checkIndex(index, elements());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment one = arena.allocate(dtype.bytes(), 8);
            memory.read(index * dtype.bytes(), one);
            return at(one, 0);
        }
    }

    /** Sets the element at a place counted in row-major order. */
    public void set(long index, double value) {
        MemorySegment host = memory().host(Memory.Access.UPDATE);
        if (host != null) {
            put(host, index, value);
            return;
        }
        Objects.checkIndex(index, elements());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment one = arena.allocate(dtype.bytes(), 8);
            put(one, 0, value);
            memory.write(index * dtype.bytes(), one);
        }
    }

    private double at(MemorySegment m, long index) {
        return switch (dtype) {
            case F32 -> m.getAtIndex(ValueLayout.JAVA_FLOAT, index);
            case F64 -> m.getAtIndex(ValueLayout.JAVA_DOUBLE, index);
            case BF16 -> Float.intBitsToFloat(m.getAtIndex(ValueLayout.JAVA_SHORT, index) << 16);
            case F16 -> Float.float16ToFloat(m.getAtIndex(ValueLayout.JAVA_SHORT, index));
            case I32 -> m.getAtIndex(ValueLayout.JAVA_INT, index);
            case U8 -> m.getAtIndex(ValueLayout.JAVA_BYTE, index) & 0xff;
        };
    }

    private void put(MemorySegment m, long index, double value) {
        switch (dtype) {
            case F32 -> m.setAtIndex(ValueLayout.JAVA_FLOAT, index, (float) value);
            case F64 -> m.setAtIndex(ValueLayout.JAVA_DOUBLE, index, value);
            case BF16 -> m.setAtIndex(ValueLayout.JAVA_SHORT, index, toBf16((float) value));
            case F16 -> m.setAtIndex(ValueLayout.JAVA_SHORT, index, Float.floatToFloat16((float) value));
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

    private void expectBytes(MemorySegment other) {
        if (other.byteSize() != bytes()) {
            throw new KingfisherException(
                    "A tensor " + dtype + shape + " has " + bytes() + " bytes, not " + other.byteSize() + ".");
        }
    }

    /** Frees the memory. Programs that use the tensor must be closed before. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            device.forget(this);
            memory.free();
        }
    }

    @Override
    public String toString() {
        return "Tensor " + dtype + shape + (closed ? " (closed)" : "");
    }
}
