package io.kingfisher.train.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;

/** Hands out memory of any size and kind as byte buffers, which hold no more than 2 GiB and no arrays but bytes. */
final class Pieces {
    private static final long NATIVE_PIECE = 1L << 28;
    private static final long COPIED_PIECE = 1L << 20;

    private Pieces() {}

    /** What is done with each piece; it must use up the whole buffer. */
    @FunctionalInterface
    interface Action<E extends Exception> {
        void accept(ByteBuffer piece) throws E;
    }

    static <E extends Exception> void forEach(MemorySegment data, Action<E> action) throws E {
        boolean asIs = data.isNative()
                || data.heapBase().filter(byte[].class::isInstance).isPresent();
        long size = asIs ? NATIVE_PIECE : COPIED_PIECE;
        for (long done = 0; done < data.byteSize(); done += size) {
            MemorySegment piece = data.asSlice(done, Math.min(size, data.byteSize() - done));
            action.accept(asIs ? piece.asByteBuffer() : ByteBuffer.wrap(piece.toArray(ValueLayout.JAVA_BYTE)));
        }
    }
}
