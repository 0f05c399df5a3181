package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.nativebindings.NativeThreads;
import io.kingfisher.nativebindings.dnnl.Dnnl;
import io.kingfisher.runtime.cpu.CpuStep;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The weight gradient of a convolution by a 3x3 kernel with stride 1, the adjoint of {@link WinogradConvolution} in its
 * weights: dW = G^T [sum over tiles of (B^T x B) * (A dy A^T)] G. The sums at the 36 places are matrix products over tiles.
 */
public final class WinogradWeightGradient {
    /** A product with more rows than this is divided, for machines of many cores. */
    private static final int SPLIT_CHANNELS = 128;

    private final KernelEngine engine;
    private final ImageLayout image;
    private final ImageLayout gradient;
    private final TileGrid grid;
    private final int padH;
    private final int padW;
    private final TileBatches batches;
    private final Transformed cells;
    private final Transformed slopes;
    private final Transformed sums;
    private final WinogradWeights weights;
    private final int splits;
    private final long scratchEach;

    /**
     * @param image the convolution's input
     * @param gradient the gradient of its output
     */
    public WinogradWeightGradient(KernelEngine engine, ImageLayout image, ImageLayout gradient, int padH, int padW) {
        this.engine = engine;
        this.image = image;
        this.gradient = gradient;
        this.grid = new TileGrid(gradient.images(), gradient.height(), gradient.width());
        this.padH = padH;
        this.padW = padW;
        this.batches = TileBatches.of(grid, image.channels() + gradient.channels());
        this.cells = new Transformed(batches.tiles(), image.channels());
        this.slopes = new Transformed(batches.tiles(), gradient.channels());
        this.sums = new Transformed(image.channels(), gradient.channels());
        this.weights = new WinogradWeights(engine, image.channels(), gradient.channels());
        this.splits = Math.ceilDiv(image.channels(), SPLIT_CHANNELS);
        this.scratchEach = TileBatches.aligned(Math.max(
                TileReader.scratchBytes(WinogradTransform.IMAGE, image, grid),
                TileReader.scratchBytes(WinogradTransform.OUTPUT_GRADIENT, gradient, grid)));
    }

    /** The memory that a step needs besides its operands. */
    public long scratchBytes() {
        long working = TileBatches.aligned(cells.bytes())
                + TileBatches.aligned(slopes.bytes())
                + 2L * batches.parts() * scratchEach;
        return TileBatches.aligned(sums.bytes()) + Math.max(working, weights.scratchBytes());
    }

    /** The calls of a matrix product in a step. */
    public int products() {
        return batches.count() * Transformed.PLACES * splits;
    }

    /** A step on memory; the result is [3 x 3 x channels x outputs]. */
    public CpuStep bind(long x, long dy, long result, long scratch) {
        return new Step(x, dy, result, scratch);
    }

    private final class Step implements CpuStep, Workers.Task {
        private final long x;
        private final long dy;
        private final long cellsAt;
        private final long slopesAt;
        private final long scratch;
        private final TileReader cellReader;
        private final TileReader slopeReader;
        private final MemorySegment[][] left;
        private final MemorySegment[] right;
        private final MemorySegment[][] sum;
        private final CpuStep last;
        private final Cursor[] cursors = new Cursor[2 * batches.parts()];
        private int batch;
        private boolean reading;

        Step(long x, long dy, long result, long at) {
            this.x = x;
            this.dy = dy;
            this.cellsAt = at + TileBatches.aligned(sums.bytes());
            this.slopesAt = cellsAt + TileBatches.aligned(cells.bytes());
            this.scratch = slopesAt + TileBatches.aligned(slopes.bytes());
            this.cellReader = new TileReader(engine, WinogradTransform.IMAGE, image, grid, padH, padW);
            this.slopeReader = new TileReader(engine, WinogradTransform.OUTPUT_GRADIENT, gradient, grid, 0, 0);
            this.left = new MemorySegment[splits][];
            this.sum = new MemorySegment[splits][];
            for (int split = 0; split < splits; split++) {
                left[split] = cells.matrices(cellsAt, 0, from(split));
                sum[split] = sums.matrices(at, from(split), 0);
            }
            this.right = slopes.matrices(slopesAt, 0, 0);
            this.last = weights.backward(at, result, cellsAt);
            Arrays.setAll(cursors, _ -> new Cursor());
        }

        private int from(int split) {
            return Math.min(image.channels(), split * SPLIT_CHANNELS);
        }

        @Override
        public void run() {
            try {
                for (batch = 0; batch < batches.count(); batch++) {
                    reading = true;
                    engine.workers().run(this, 2 * batches.parts());
                    reading = false;
                    engine.workers().run(this, Transformed.PLACES * splits);
                }
            } finally {
                NativeThreads.setOpenMp(engine.workers().threads());
            }
            last.run();
        }

        @Override
        public void run(int part) {
            if (!reading) {
                multiply(part % Transformed.PLACES, part / Transformed.PLACES);
                return;
            }
            long own = scratch + part * scratchEach;
            int piece = part % batches.parts();
            int first = batches.partFrom(batch, piece), end = batches.partFrom(batch, piece + 1);
            long before = batches.tilesBefore(batch, first) * Float.BYTES;
            if (part < batches.parts()) {
                cellReader.read(cursors[part], x, own, first, end, cellsAt + before * image.channels(), cells);
            } else {
                slopeReader.read(cursors[part], dy, own, first, end, slopesAt + before * gradient.channels(), slopes);
            }
        }

        private void multiply(int place, int split) {
            NativeThreads.setOpenMp(1);
            Dnnl.sgemm(
                    true,
                    false,
                    from(split + 1) - from(split),
                    gradient.channels(),
                    batches.tiles(batch),
                    1,
                    left[split][place],
                    image.channels(),
                    right[place],
                    gradient.channels(),
                    batch == 0 ? 0 : 1,
                    sum[split][place],
                    gradient.channels());
        }
    }
}
