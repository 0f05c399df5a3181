package io.kingfisher.runtime.cpu.kernels;

import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** The machine's vectors, for generated code. Touched only where the module jdk.incubator.vector is present. */
final class Lanes {
    static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    static final ByteOrder ORDER = ByteOrder.nativeOrder();

    /** As many shorts and bytes as there are floats. */
    private static final VectorSpecies<Short> SHORTS = VectorSpecies.of(short.class, part(2));

    private static final VectorSpecies<Byte> BYTES = VectorSpecies.of(byte.class, part(4));

    private Lanes() {}

    /** The preferred shape divided, at least the smallest that there is. */
    private static VectorShape part(int divisor) {
        return VectorShape.forBitSize(Math.max(64, FLOATS.vectorBitSize() / divisor));
    }

    static FloatVector loadI32(long address) {
        return (FloatVector)
                IntVector.fromMemorySegment(INTS, Memory.ALL, address, ORDER).convert(VectorOperators.I2F, 0);
    }

    static FloatVector loadU8(long address) {
        return (FloatVector) ByteVector.fromMemorySegment(BYTES, Memory.ALL, address, ORDER)
                .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0)
                .convert(VectorOperators.I2F, 0);
    }

    static FloatVector loadBF16(long address) {
        IntVector bits = (IntVector) ShortVector.fromMemorySegment(SHORTS, Memory.ALL, address, ORDER)
                .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
        return bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    static void storeI32(FloatVector value, long address) {
        ((IntVector) value.convert(VectorOperators.F2I, 0)).intoMemorySegment(Memory.ALL, address, ORDER);
    }

    static void storeU8(FloatVector value, long address) {
        ((ByteVector) value.convert(VectorOperators.F2I, 0).convertShape(VectorOperators.I2B, BYTES, 0))
                .intoMemorySegment(Memory.ALL, address, ORDER);
    }

    /** To the nearest, ties to even; NaN stays NaN: as {@link io.kingfisher.runtime.Tensor#toBf16}. */
    static void storeBF16(FloatVector value, long address) {
        IntVector bits = value.reinterpretAsInts();
        IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
        IntVector rounded = bits.add(0x7fff).add(odd).lanewise(VectorOperators.LSHR, 16);
        IntVector quiet = bits.lanewise(VectorOperators.LSHR, 16).or(0x40);
        VectorMask<Integer> nan = value.compare(VectorOperators.NE, value).cast(INTS);
        ((ShortVector) rounded.blend(quiet, nan).convertShape(VectorOperators.I2S, SHORTS, 0))
                .intoMemorySegment(Memory.ALL, address, ORDER);
    }
}
