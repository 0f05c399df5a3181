package io.kingfisher.runtime.cpu.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.nativebindings.dnnl.DnnlEngine;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Winograd's convolutions and their gradients against direct sums in double precision, in every layout of images. */
class WinogradTest {
    /** A convolution with its operands and what the direct sums give. */
    private static final class Problem {
        final int images, channels, height, width, outputs, padH, padW, outHeight, outWidth;
        final double[] x, w, bias, dy, y, dx, dw;

        Problem(int images, int channels, int height, int width, int outputs, int padH, int padW) {
            this.images = images;
            this.channels = channels;
            this.height = height;
            this.width = width;
            this.outputs = outputs;
            this.padH = padH;
            this.padW = padW;
            outHeight = height + 2 * padH - 2;
            outWidth = width + 2 * padW - 2;
            Random random = new Random(31L * channels + outputs + height);
            x = numbers(random, images * channels * height * width);
            w = numbers(random, outputs * channels * 9);
            bias = numbers(random, outputs);
            dy = numbers(random, images * outputs * outHeight * outWidth);
            y = new double[dy.length];
            dx = new double[x.length];
            dw = new double[w.length];
            compute();
        }

        private static double[] numbers(Random random, int count) {
            return random.doubles(count).map(v -> (float) (2 * v - 1)).toArray();
        }

        private void compute() {
            for (int n = 0; n < images; n++) {
                for (int k = 0; k < outputs; k++) {
                    for (int h = 0; h < outHeight; h++) {
                        for (int v = 0; v < outWidth; v++) {
                            output(n, k, h, v);
                        }
                    }
                }
            }
        }

        private void output(int n, int k, int h, int v) {
            int at = ((n * outputs + k) * outHeight + h) * outWidth + v;
            double sum = bias[k];
            for (int c = 0; c < channels; c++) {
                for (int tap = 0; tap < 9; tap++) {
                    int row = h + tap / 3 - padH, column = v + tap % 3 - padW;
                    if (row >= 0 && row < height && column >= 0 && column < width) {
                        int cell = ((n * channels + c) * height + row) * width + column;
                        int weight = (k * channels + c) * 9 + tap;
                        sum += x[cell] * w[weight];
                        dx[cell] += dy[at] * w[weight];
                        dw[weight] += dy[at] * x[cell];
                    }
                }
            }
            y[at] = sum;
        }

        ImageLayout image(int block) {
            return new ImageLayout(images, channels, height, width, block > 0 ? block : channels);
        }

        ImageLayout output(int block) {
            return new ImageLayout(images, outputs, outHeight, outWidth, block > 0 ? block : outputs);
        }
    }

    /** Row-major numbers to where a layout has them. */
    private static long[] places(ImageLayout l) {
        long[] result = new long[l.images() * l.channels() * l.height() * l.width()];
        int i = 0;
        for (int n = 0; n < l.images(); n++) {
            for (int c = 0; c < l.channels(); c++) {
                for (int cell = 0; cell < l.height() * l.width(); cell++) {
                    long block = (long) n * l.channels() / l.block() + c / l.block();
                    result[i++] = (block * l.height() * l.width() + cell) * l.block() + c % l.block();
                }
            }
        }
        return result;
    }

    /** [outputs x channels x 9] to [9 x channels x outputs]. */
    private static long[] taps(Problem p) {
        long[] result = new long[p.w.length];
        for (int i = 0; i < result.length; i++) {
            int tap = i % 9, c = i / 9 % p.channels, k = i / 9 / p.channels;
            result[i] = ((long) tap * p.channels + c) * p.outputs + k;
        }
        return result;
    }

    private static MemorySegment store(Arena arena, double[] values, long[] places) {
        MemorySegment memory = dirty(arena, 4L * values.length);
        for (int i = 0; i < values.length; i++) {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, places == null ? i : places[i], (float) values[i]);
        }
        return memory;
    }

    /** Memory full of NaNs, as a program's may be. */
    private static MemorySegment dirty(Arena arena, long bytes) {
        return arena.allocate(Math.max(64, bytes), NativeMemory.ALIGNMENT).fill((byte) -1);
    }

    /**
     * Errors of a result.
     *
     * @param largest the largest, relative to the largest number
     * @param typical the root mean square, relative to that of the numbers
     */
    private record Rounding(double largest, double typical) {
        static Rounding of(double[] want, MemorySegment got, long[] places) {
            double largest = 0, worst = 0, squares = 0, errors = 0;
            for (int i = 0; i < want.length; i++) {
                double is = got.getAtIndex(ValueLayout.JAVA_FLOAT, places[i]);
                assertTrue(Double.isFinite(is), "element " + i);
                largest = Math.max(largest, Math.abs(want[i]));
                worst = Math.max(worst, Math.abs(want[i] - is));
                squares += want[i] * want[i];
                errors += (want[i] - is) * (want[i] - is);
            }
            return new Rounding(worst / largest, Math.sqrt(errors / squares));
        }
    }

    private static Rounding[] errors(Problem p, int threads, KernelEngine.Mode mode, int block, int outBlock) {
        try (Arena arena = Arena.ofConfined();
                DnnlEngine _ = DnnlEngine.cpu();
                KernelEngine engine = new KernelEngine(threads, mode)) {
            ImageLayout image = p.image(block), output = p.output(outBlock);
            MemorySegment x = store(arena, p.x, places(image)), dy = store(arena, p.dy, places(output));
            MemorySegment w = store(arena, p.w, taps(p)), bias = store(arena, p.bias, null);
            MemorySegment y = dirty(arena, 4L * p.y.length), dx = dirty(arena, 4L * p.x.length);
            MemorySegment dw = dirty(arena, 4L * p.w.length);
            WinogradWeights weights = new WinogradWeights(engine, p.channels, p.outputs);
            MemorySegment matrices = dirty(arena, weights.placesBytes());
            long room = dirty(arena, weights.scratchBytes()).address();
            WinogradConvolution forward = new WinogradConvolution(engine, image, output, p.padH, p.padW, false, true);
            WinogradConvolution backward =
                    new WinogradConvolution(engine, output, image, 2 - p.padH, 2 - p.padW, true, false);
            WinogradWeightGradient gradient = new WinogradWeightGradient(engine, image, output, p.padH, p.padW);
            long most = Math.max(forward.scratchBytes(), Math.max(backward.scratchBytes(), gradient.scratchBytes()));
            MemorySegment scratch = dirty(arena, most);
            for (int again = 0; again < 2; again++) {
                weights.forward(w.address(), matrices.address(), room, false).run();
                forward.bind(x.address(), matrices.address(), bias.address(), y.address(), scratch.address())
                        .run();
                scratch.fill((byte) -1);
                weights.forward(w.address(), matrices.address(), room, true).run();
                backward.bind(dy.address(), matrices.address(), 0, dx.address(), scratch.address())
                        .run();
                scratch.fill((byte) -1);
                gradient.bind(x.address(), dy.address(), dw.address(), scratch.address())
                        .run();
            }
            return new Rounding[] {
                Rounding.of(p.y, y, places(output)),
                Rounding.of(p.dx, dx, places(image)),
                Rounding.of(p.dw, dw, taps(p))
            };
        }
    }

    @ParameterizedTest
    @CsvSource({
        "2, 3, 5, 7, 4, 1, 1",
        "1, 1, 1, 1, 1, 1, 1",
        "1, 1, 1, 1, 2, 2, 2",
        "1, 16, 9, 6, 24, 0, 0",
        "3, 5, 4, 4, 7, 2, 2",
        "2, 8, 13, 11, 16, 0, 2",
        "4, 16, 3, 3, 8, 0, 1",
        "1, 7, 33, 5, 9, 2, 0",
        "2, 130, 6, 6, 3, 1, 1",
        "1, 3, 6, 6, 130, 1, 1",
        "40, 24, 9, 10, 16, 1, 1"
    })
    void agreesWithDirectSums(int n, int c, int h, int w, int k, int padH, int padW) {
        Problem p = new Problem(n, c, h, w, k, padH, padW);
        for (int threads = 1; threads <= 2; threads++) {
            check(errors(p, threads, KernelEngine.Mode.SCALAR, 0, 0));
            if (c % 8 == 0 && k % 8 == 0) {
                check(errors(p, threads, KernelEngine.Mode.SCALAR, 8, 8));
                check(errors(p, threads, KernelEngine.Mode.VECTOR, 8, 0));
                check(errors(p, threads, KernelEngine.Mode.SCALAR, 0, 8));
            }
        }
    }

    private static void check(Rounding[] errors) {
        for (Rounding error : errors) {
            assertTrue(error.largest() < 5e-6, error.toString());
        }
    }

    /** Many channels of few tiles, whose product has one batch, and few channels of many tiles, of several. */
    @Test
    void batchesCoverAllTilesOnce() {
        for (int rows : new int[] {1, 5, 16, 17, 100, 1024}) {
            for (int channels : new int[] {6, 128, 1024}) {
                TileGrid grid = new TileGrid(rows, 4, 30);
                TileBatches batches = TileBatches.of(grid, channels);
                long tiles = 0, split = 0;
                int next = 0;
                for (int b = 0; b < batches.count(); b++) {
                    tiles += batches.tiles(b);
                    for (int part = 0; part < batches.parts(); part++) {
                        assertEquals(next, batches.partFrom(b, part));
                        next = batches.partFrom(b, part + 1);
                    }
                    for (int s = 0; s < batches.splits(); s++) {
                        split += batches.splitTiles(b, s);
                    }
                }
                assertEquals(grid.rows(), next);
                assertEquals(grid.tiles(), tiles);
                assertEquals(grid.tiles(), split);
            }
        }
    }

    /** The errors of the output and both gradients that docs/design.md tells of. */
    @ParameterizedTest
    @CsvSource({"64, 64, 1e-6", "512, 16, 2e-6"})
    void errorsStayNearThoseOfDirectSums(int channels, int outputs, double most) {
        Problem p = new Problem(2, channels, 8, 8, outputs, 1, 1);
        Rounding[] errors = errors(p, 2, KernelEngine.Mode.SCALAR, 0, 0);
        System.out.println(channels + " channels: " + Arrays.toString(errors));
        for (Rounding error : errors) {
            assertTrue(error.typical() < most, error.toString());
        }
    }
}
