package io.kingfisher.runtime.cuda.math;

import io.kingfisher.nativebindings.NativeMemory;

/** A call that computes at once, on host memory. It spoils its workspace, so that whoever shares it wrongly is seen. */
final class PlainCall implements Call {
    private static final long WORKSPACE = 512;

    private final String what;
    private final int operands;
    private final boolean capturable;
    private final Body body;
    private boolean closed;

    /** What is computed, from the addresses of operands and results. */
    @FunctionalInterface
    interface Body {
        void run(long[] addresses);
    }

    PlainCall(String what, int operands, boolean capturable, Body body) {
        this.what = what;
        this.operands = operands;
        this.capturable = capturable;
        this.body = body;
    }

    @Override
    public long workspaceBytes() {
        return WORKSPACE;
    }

    @Override
    public void run(long stream, long[] addresses, long workspace) {
        if (closed) {
            throw new IllegalStateException(what + " is closed");
        }
        if (addresses.length != operands) {
            throw new IllegalArgumentException(
                    what + " takes " + operands + " operands and results, not " + addresses.length);
        }
        if (workspace == 0 || workspace % 256 != 0) {
            throw new IllegalArgumentException(
                    what + " was given the workspace 0x" + Long.toHexString(workspace) + ", not aligned to 256 bytes");
        }
        NativeMemory.segment(workspace, WORKSPACE).fill((byte) 0xff);
        body.run(addresses);
    }

    @Override
    public boolean capturable() {
        return capturable;
    }

    @Override
    public String what() {
        return what;
    }

    @Override
    public void close() {
        closed = true;
    }
}
