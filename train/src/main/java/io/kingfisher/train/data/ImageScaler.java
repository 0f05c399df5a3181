package io.kingfisher.train.data;

/**
 * Scales U8 [C,H,W] images with a triangle filter whose support grows when an image shrinks, so that nothing between the
 * samples is skipped.
 */
final class ImageScaler {
    private ImageScaler() {}

    /** Scales the shorter side to {@code side} and cuts a square out of the middle. */
    static ImageDecoder.Decoded square(ImageDecoder.Decoded image, int side) {
        int shorter = Math.min(image.height(), image.width());
        int height = (int) Math.max(side, Math.round((double) image.height() * side / shorter));
        int width = (int) Math.max(side, Math.round((double) image.width() * side / shorter));
        int top = (height - side) / 2;
        int left = (width - side) / 2;
        Taps[] rows = taps(image.height(), height, top, side);
        Taps[] columns = taps(image.width(), width, left, side);
        var pixels = new byte[image.channels() * side * side];
        var lines = new float[image.height() * side];
        for (int c = 0; c < image.channels(); c++) {
            int plane = c * image.height() * image.width();
            for (int y = 0; y < image.height(); y++) {
                for (int x = 0; x < side; x++) {
                    float sum = 0;
                    for (int i = 0; i < columns[x].weights.length; i++) {
                        int pixel = image.pixels()[plane + y * image.width() + columns[x].first + i] & 0xFF;
                        sum += columns[x].weights[i] * pixel;
                    }
                    lines[y * side + x] = sum;
                }
            }
            for (int y = 0; y < side; y++) {
                for (int x = 0; x < side; x++) {
                    float sum = 0;
                    for (int i = 0; i < rows[y].weights.length; i++) {
                        sum += rows[y].weights[i] * lines[(rows[y].first + i) * side + x];
                    }
                    pixels[(c * side + y) * side + x] = (byte) Math.clamp(Math.round(sum), 0, 255);
                }
            }
        }
        return new ImageDecoder.Decoded(image.channels(), side, side, pixels);
    }

    /** What one target sample is made of: source samples from {@code first} on, with weights that sum to 1. */
    private static final class Taps {
        final int first;
        final float[] weights;

        Taps(int first, float[] weights) {
            this.first = first;
            this.weights = weights;
        }
    }

    /** For {@code count} target samples from {@code start} on. */
    private static Taps[] taps(int source, int target, int start, int count) {
        var result = new Taps[count];
        double scale = (double) source / target;
        double support = Math.max(1, scale);
        for (int i = 0; i < count; i++) {
            double centre = (start + i + .5) * scale;
            int from = Math.max(0, (int) Math.ceil(centre - support - .5));
            int to = Math.min(source - 1, (int) Math.floor(centre + support - .5));
            var weights = new float[to - from + 1];
            double sum = 0;
            for (int j = from; j <= to; j++) {
                double weight = Math.max(0, 1 - Math.abs(j + .5 - centre) / support);
                weights[j - from] = (float) weight;
                sum += weight;
            }
            for (int j = 0; j < weights.length; j++) {
                weights[j] /= (float) sum;
            }
            result[i] = new Taps(from, weights);
        }
        return result;
    }
}
