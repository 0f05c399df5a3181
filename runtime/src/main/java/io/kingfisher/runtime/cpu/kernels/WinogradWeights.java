package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.cpu.CpuStep;

/** The weights of a 3x3 kernel [3 x 3 x channels x outputs] to the 36 places of F(4x4, 3x3), or gradients at those back. */
public final class WinogradWeights {
    private static final int TAPS = 3;
    private static final int POINTS = WinogradTransform.POINTS;
    /** The elements of each tap that are transformed together, in scratch memory that a core's nearest cache holds. */
    private static final int TOGETHER = 256;

    private static final int MOST_PARTS = 64;

    private final KernelEngine engine;
    private final Transformed places;
    private final long elements;
    private final int parts;

    /** Weights from so many channels of the image to so many outputs. */
    public WinogradWeights(KernelEngine engine, int channels, int outputs) {
        this.engine = engine;
        this.places = new Transformed(channels, outputs);
        this.elements = (long) channels * outputs;
        this.parts = (int) Math.min(MOST_PARTS, Math.ceilDiv(elements, 4L * TOGETHER));
    }

    /** The bytes of the 36 matrices. */
    public long placesBytes() {
        return places.bytes();
    }

    /** What a step needs besides. */
    public long scratchBytes() {
        return (long) parts * TAPS * POINTS * TOGETHER * Float.BYTES;
    }

    /** A step that transforms weights; {@code rotated} as an input gradient needs them, by half a turn. */
    public CpuStep forward(long weights, long matrices, long scratch, boolean rotated) {
        return new Step(WinogradTransform.WEIGHT, weights, matrices, scratch) {
            @Override
            void block(Cursor cursor, long offset, long own, int n) {
                for (int s = 0; s < TAPS; s++) {
                    cursor.begin(TAPS + POINTS);
                    for (int r = 0; r < TAPS; r++) {
                        int tap = rotated ? TAPS * (TAPS - 1 - r) + TAPS - 1 - s : TAPS * r + s;
                        cursor.set(r, taps + offset + tap * elements * Float.BYTES, 0);
                    }
                    for (int i = 0; i < POINTS; i++) {
                        cursor.set(TAPS + i, own + (long) (TAPS * i + s) * TOGETHER * Float.BYTES, 0);
                    }
                    cursor.run(loop, 1, n);
                }
                for (int i = 0; i < POINTS; i++) {
                    cursor.begin(TAPS + POINTS);
                    for (int s = 0; s < TAPS; s++) {
                        cursor.set(s, own + (long) (TAPS * i + s) * TOGETHER * Float.BYTES, 0);
                    }
                    for (int j = 0; j < POINTS; j++) {
                        cursor.set(TAPS + j, at + offset + (POINTS * i + j) * places.pitch(), 0);
                    }
                    cursor.run(loop, 1, n);
                }
            }
        };
    }

    /** A step that transforms gradients at the 36 places to those of the weights. */
    public CpuStep backward(long matrices, long weights, long scratch) {
        return new Step(WinogradTransform.WEIGHT_GRADIENT, weights, matrices, scratch) {
            @Override
            void block(Cursor cursor, long offset, long own, int n) {
                for (int j = 0; j < POINTS; j++) {
                    cursor.begin(POINTS + TAPS);
                    for (int i = 0; i < POINTS; i++) {
                        cursor.set(i, at + offset + (POINTS * i + j) * places.pitch(), 0);
                    }
                    for (int r = 0; r < TAPS; r++) {
                        cursor.set(POINTS + r, own + (long) (POINTS * r + j) * TOGETHER * Float.BYTES, 0);
                    }
                    cursor.run(loop, 1, n);
                }
                for (int r = 0; r < TAPS; r++) {
                    cursor.begin(POINTS + TAPS);
                    for (int j = 0; j < POINTS; j++) {
                        cursor.set(j, own + (long) (POINTS * r + j) * TOGETHER * Float.BYTES, 0);
                    }
                    for (int s = 0; s < TAPS; s++) {
                        cursor.set(POINTS + s, taps + offset + (TAPS * r + s) * elements * Float.BYTES, 0);
                    }
                    cursor.run(loop, 1, n);
                }
            }
        };
    }

    private abstract class Step implements CpuStep, Workers.Task {
        final AdaptiveLoop loop;
        final long taps;
        final long at;
        private final long scratch;
        private final Cursor[] cursors = new Cursor[parts];

        Step(WinogradTransform transform, long taps, long at, long scratch) {
            this.loop = engine.loop(transform.spec()).ready();
            this.taps = taps;
            this.at = at;
            this.scratch = scratch;
            java.util.Arrays.setAll(cursors, _ -> new Cursor());
        }

        @Override
        public void run() {
            engine.workers().run(this, parts);
        }

        @Override
        public void run(int part) {
            long own = scratch + (long) part * TAPS * POINTS * TOGETHER * Float.BYTES;
            long end = elements * (part + 1) / parts;
            for (long from = elements * part / parts; from < end; from += TOGETHER) {
                block(cursors[part], from * Float.BYTES, own, (int) Math.min(TOGETHER, end - from));
            }
        }

        /** Transforms {@code n} elements of all taps from a byte offset on. */
        abstract void block(Cursor cursor, long offset, long own, int n);
    }
}
