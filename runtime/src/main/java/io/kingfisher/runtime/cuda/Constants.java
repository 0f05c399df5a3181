package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Source;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.plan.Buffer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;

/** Numbers known at recording, brought to the device. */
final class Constants {
    private Constants() {}

    static void upload(CudaDevice device, Map<Buffer, Source> constants) {
        constants.forEach((buffer, source) -> {
            if (buffer.bytes() > 0) {
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment values = arena.allocate(buffer.bytes(), 8);
                    write(source, values);
                    device.driver().upload(buffer.address(), values, device.stream());
                    device.driver().synchronize(device.stream());
                }
            }
        });
    }

    private static void write(Source source, MemorySegment to) {
        switch (source) {
            case Source.Constant constant -> {
                double[] values = constant.values();
                for (int i = 0; i < values.length; i++) {
                    set(constant.type().dtype(), to, i, values[i]);
                }
            }
            case Source.Fill(Type type, double value) -> {
                for (long i = 0; i < type.shape().elements(); i++) {
                    set(type.dtype(), to, i, value);
                }
            }
            case Source.Input _, Source.Bound _ -> throw new IllegalArgumentException(source.toString());
        }
    }

    private static void set(DType dtype, MemorySegment m, long i, double value) {
        switch (dtype) {
            case F32 -> m.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
            case F64 -> m.setAtIndex(ValueLayout.JAVA_DOUBLE, i, value);
            case BF16 -> m.setAtIndex(ValueLayout.JAVA_SHORT, i, Tensor.toBf16((float) value));
            case F16 -> m.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16((float) value));
            case I32 -> m.setAtIndex(ValueLayout.JAVA_INT, i, (int) value);
            case U8 -> m.setAtIndex(ValueLayout.JAVA_BYTE, i, (byte) (int) value);
        }
    }
}
