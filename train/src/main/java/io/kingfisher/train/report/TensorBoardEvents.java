package io.kingfisher.train.report;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The few messages of TensorBoard's event format that scalars need, in protocol-buffer encoding:
 *
 * <pre>
 * Event   { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; }
 * Summary { repeated Value value = 1; }    Value { string tag = 1; float simple_value = 2; }
 * </pre>
 */
final class TensorBoardEvents {
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private TensorBoardEvents() {}

    /** The first event of every file. */
    static byte[] version(double wallSeconds) {
        var event = new TensorBoardEvents().fixed64(1, Double.doubleToRawLongBits(wallSeconds));
        return event.bytes(3, "brain.Event:2".getBytes(StandardCharsets.UTF_8)).done();
    }

    /** One scalar at one step. */
    static byte[] scalar(double wallSeconds, long step, String tag, float value) {
        byte[] entry = new TensorBoardEvents()
                .bytes(1, tag.getBytes(StandardCharsets.UTF_8))
                .fixed32(2, Float.floatToRawIntBits(value))
                .done();
        byte[] summary = new TensorBoardEvents().bytes(1, entry).done();
        return new TensorBoardEvents()
                .fixed64(1, Double.doubleToRawLongBits(wallSeconds))
                .varint(2, step)
                .bytes(5, summary)
                .done();
    }

    /** The step of an event written here; 0 where it has none. */
    static long stepOf(byte[] event) {
        // wall_time takes 9 bytes and always comes first; the step, if any, follows it
        if (event.length < 10 || event[9] != (2 << 3 | VARINT)) {
            return 0;
        }
        long step = 0;
        for (int i = 10, shift = 0; i < event.length && shift < 64; i++, shift += 7) {
            step |= (event[i] & 0x7fL) << shift;
            if (event[i] >= 0) {
                break;
            }
        }
        return step;
    }

    private TensorBoardEvents varint(int field, long value) {
        raw((long) field << 3 | VARINT);
        raw(value);
        return this;
    }

    private TensorBoardEvents fixed64(int field, long bits) {
        raw((long) field << 3 | FIXED64);
        out.writeBytes(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(bits)
                .array());
        return this;
    }

    private TensorBoardEvents fixed32(int field, int bits) {
        raw((long) field << 3 | FIXED32);
        out.writeBytes(ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(bits)
                .array());
        return this;
    }

    private TensorBoardEvents bytes(int field, byte[] bytes) {
        raw((long) field << 3 | BYTES);
        raw(bytes.length);
        out.writeBytes(bytes);
        return this;
    }

    private void raw(long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            out.write((int) (rest & 0x7f | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
    }

    private byte[] done() {
        return out.toByteArray();
    }
}
