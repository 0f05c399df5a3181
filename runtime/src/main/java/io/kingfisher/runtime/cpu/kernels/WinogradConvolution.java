package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.nativebindings.NativeThreads;
import io.kingfisher.nativebindings.dnnl.Dnnl;
import io.kingfisher.runtime.cpu.CpuStep;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A convolution by a 3x3 kernel with stride 1 as Winograd's F(4x4, 3x3): tiles of the image are transformed, multiplied by the
 * transformed weights at each of 36 places, and transformed back, some rows of tiles at a time so that caches hold what lies
 * between. The input gradient is the same with rotated weights.
 */
public final class WinogradConvolution {
    private final KernelEngine engine;
    private final ImageLayout from;
    private final ImageLayout to;
    private final TileGrid grid;
    private final int padH;
    private final int padW;
    private final boolean transposed;
    private final boolean biased;
    private final TileBatches batches;
    private final Transformed read;
    private final Transformed made;
    private final long scratchEach;

    /**
     * @param padH the rows of zeros around an image
     * @param padW the columns of zeros
     * @param transposed whether the weights' matrices are [channels of {@code to} x channels of {@code from}]
     * @param biased whether a number is added to each channel
     */
    public WinogradConvolution(
            KernelEngine engine,
            ImageLayout from,
            ImageLayout to,
            int padH,
            int padW,
            boolean transposed,
            boolean biased) {
        this.engine = engine;
        this.from = from;
        this.to = to;
        this.grid = new TileGrid(to.images(), to.height(), to.width());
        this.padH = padH;
        this.padW = padW;
        this.transposed = transposed;
        this.biased = biased;
        this.batches = TileBatches.of(grid, from.channels() + to.channels());
        this.read = new Transformed(batches.tiles(), from.channels());
        this.made = new Transformed(batches.tiles(), to.channels());
        this.scratchEach = TileBatches.aligned(Math.max(
                TileReader.scratchBytes(WinogradTransform.IMAGE, from, grid), TileWriter.scratchBytes(to, grid)));
    }

    /** The memory that a step needs besides its operands. */
    public long scratchBytes() {
        return TileBatches.aligned(read.bytes()) + TileBatches.aligned(made.bytes()) + batches.parts() * scratchEach;
    }

    /** The calls of a matrix product in a step. */
    public int products() {
        return batches.count() * batches.products();
    }

    /** A step on memory: {@code weights} are the 36 matrices of {@link WinogradWeights}. */
    public CpuStep bind(long image, long weights, long bias, long result, long scratch) {
        return new Step(image, weights, bias, result, scratch);
    }

    private final class Step implements CpuStep, Workers.Task {
        private static final int READ = 0;
        private static final int MULTIPLY = 1;
        private static final int WRITE = 2;

        private final long image;
        private final long bias;
        private final long result;
        private final long readAt;
        private final long madeAt;
        private final long scratch;
        private final TileReader reader;
        private final TileWriter writer;
        private final MemorySegment[] weights;
        private final MemorySegment[][] factors;
        private final MemorySegment[][] products;
        private final Cursor[] cursors = new Cursor[batches.parts()];
        private int batch;
        private int phase;

        Step(long image, long weights, long bias, long result, long at) {
            this.image = image;
            this.bias = bias;
            this.result = result;
            this.readAt = at;
            this.madeAt = at + TileBatches.aligned(read.bytes());
            this.scratch = madeAt + TileBatches.aligned(made.bytes());
            this.reader = new TileReader(engine, WinogradTransform.IMAGE, from, grid, padH, padW);
            this.writer = new TileWriter(engine, to, grid, biased);
            this.weights = transposed
                    ? new Transformed(to.channels(), from.channels()).matrices(weights, 0, 0)
                    : new Transformed(from.channels(), to.channels()).matrices(weights, 0, 0);
            this.factors = new MemorySegment[batches.splits()][];
            this.products = new MemorySegment[batches.splits()][];
            for (int split = 0; split < factors.length; split++) {
                factors[split] = read.matrices(readAt, batches.splitFrom(split), 0);
                products[split] = made.matrices(madeAt, batches.splitFrom(split), 0);
            }
            Arrays.setAll(cursors, _ -> new Cursor());
        }

        @Override
        public void run() {
            try {
                for (batch = 0; batch < batches.count(); batch++) {
                    share(READ, batches.parts());
                    share(MULTIPLY, batches.products());
                    share(WRITE, batches.parts());
                }
            } finally {
                // The parts that the calling thread ran made their products with one thread.
                NativeThreads.setOpenMp(engine.workers().threads());
            }
        }

        private void share(int what, int parts) {
            phase = what;
            engine.workers().run(this, parts);
        }

        @Override
        public void run(int part) {
            switch (phase) {
                case READ -> {
                    int first = batches.partFrom(batch, part), end = batches.partFrom(batch, part + 1);
                    long at = readAt + batches.tilesBefore(batch, first) * from.channels() * Float.BYTES;
                    reader.read(cursors[part], image, own(part), first, end, at, read);
                }
                case MULTIPLY -> multiply(part % Transformed.PLACES, part / Transformed.PLACES);
                default -> {
                    int first = batches.partFrom(batch, part), end = batches.partFrom(batch, part + 1);
                    long at = madeAt + batches.tilesBefore(batch, first) * to.channels() * Float.BYTES;
                    writer.write(cursors[part], at, made, own(part), first, end, result, bias);
                }
            }
        }

        private long own(int part) {
            return scratch + part * scratchEach;
        }

        private void multiply(int place, int split) {
            int rows = batches.splitTiles(batch, split);
            if (rows > 0) {
                NativeThreads.setOpenMp(1);
                Dnnl.sgemm(
                        false,
                        transposed,
                        rows,
                        to.channels(),
                        from.channels(),
                        1,
                        factors[split][place],
                        from.channels(),
                        weights[place],
                        transposed ? from.channels() : to.channels(),
                        0,
                        products[split][place],
                        to.channels());
            }
        }
    }
}
