package io.kingfisher.runtime.plan;

import io.kingfisher.runtime.Tensor;

/** A stretch of memory while a program is compiled: it gets its address when all lifetimes are known. */
public final class Buffer {
    /** What a buffer is for, which says how long it must last. */
    public enum Kind {
        /** Between the first and the last instruction that touches it. */
        TEMPORARY,
        /** As long as the program, at a place in its block: inputs, outputs, constants. */
        PINNED,
        /** As long as the program, and not in its block: whoever says so gives it its place. */
        OUTSIDE,
        /** A tensor's memory. */
        TENSOR
    }

    private Kind kind;
    private final long bytes;
    private final Tensor tensor;
    private Buffer merged;
    /** Where in the memory of {@link #merged} this one begins. */
    private long offset;

    private long address = -1;
    private int first = Integer.MAX_VALUE;
    private int last = -1;

    private Buffer(Kind kind, long bytes, Tensor tensor) {
        this.kind = kind;
        this.bytes = bytes;
        this.tensor = tensor;
    }

    public static Buffer temporary(long bytes) {
        return new Buffer(Kind.TEMPORARY, bytes, null);
    }

    public static Buffer pinned(long bytes) {
        return new Buffer(Kind.PINNED, bytes, null);
    }

    public static Buffer of(Tensor tensor) {
        Buffer buffer = new Buffer(Kind.TENSOR, tensor.bytes(), tensor);
        buffer.address = tensor.address();
        return buffer;
    }

    /** A stretch of another buffer's memory, which lasts as long as that one is touched through either. */
    public static Buffer part(Buffer whole, long offset, long bytes) {
        Buffer part = new Buffer(Kind.TEMPORARY, bytes, null);
        part.merged = whole;
        part.offset = offset;
        return part;
    }

    /** Whether this is a part of a larger buffer's memory. */
    public boolean isPart() {
        return root().bytes != bytes;
    }

    /** The buffer whose memory this one uses: itself, unless merged or a part. */
    public Buffer root() {
        Buffer root = this;
        while (root.merged != null) {
            root = root.merged;
        }
        return root;
    }

    /** Lets this buffer use another's memory from now on. */
    public void mergeInto(Buffer other) {
        merged = other.root();
        if (touched()) {
            merged.touch(first);
            merged.touch(last);
        }
    }

    /** Keeps a temporary buffer as long as the program. */
    public void pin() {
        root().kind = Kind.PINNED;
    }

    /** Takes the buffer out of the program's block: the caller will {@link #place} it. */
    public void moveOutside() {
        root().kind = Kind.OUTSIDE;
    }

    /** Whether the buffer has its place in the program's block. */
    public boolean inBlock() {
        return kind() == Kind.TEMPORARY || kind() == Kind.PINNED;
    }

    public Kind kind() {
        return root().kind;
    }

    public long bytes() {
        return bytes;
    }

    /** The tensor whose memory this is, else null. */
    public Tensor tensor() {
        return root().tensor;
    }

    /** Notes that the instruction at a position reads or writes the buffer. */
    public void touch(int position) {
        first = Math.min(first, position);
        last = Math.max(last, position);
    }

    public int first() {
        return first;
    }

    public int last() {
        return last;
    }

    public boolean touched() {
        return last >= 0;
    }

    public void place(long at) {
        address = at;
    }

    /** The absolute address, known once the program's memory is planned. */
    public long address() {
        long result = root().address;
        if (result < 0) {
            throw new IllegalStateException("a buffer of " + bytes + " bytes has no place yet");
        }
        for (Buffer buffer = this; buffer.merged != null; buffer = buffer.merged) {
            result += buffer.offset;
        }
        return result;
    }
}
