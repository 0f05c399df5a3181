package io.kingfisher.train.data;

import java.util.Arrays;

/**
 * Paints one digit: its strokes go through a random smooth warp and a random affine map, are drawn with a random pen
 * width and anti-aliased edges, and get a random contrast and noise. Only operations that IEEE 754 and StrictMath
 * define exactly are used, so that an image is the same on every machine.
 */
final class GlyphPainter {
    static final int SIDE = 28;

    private final float[] nearest = new float[SIDE * SIDE];
    private final float[] points = new float[GlyphStrokes.MOST_NUMBERS];

    /** Paints SIDE x SIDE grey pixels, 0 where nothing is drawn. */
    void paint(int digit, Philox random, byte[] pixels, int offset) {
        float[] segments = GlyphStrokes.segments(digit, random.nextInt(GlyphStrokes.variants(digit)));

        // Warp: quadratic terms bend straight strokes and slide loops, as different hands do.
        float bendX = spread(random, .28f);
        float bendY = spread(random, .28f);
        float slideX = spread(random, .30f);
        float slideY = spread(random, .30f);

        // Affine: scale and shear the digit, turn it, move it.
        double angle = spread(random, .33f);
        float cos = (float) StrictMath.cos(angle);
        float sin = (float) StrictMath.sin(angle);
        float shear = spread(random, .38f);
        float scale = 17.2f + spread(random, 3.8f);
        float scaleX = scale * (1.05f + spread(random, .30f));
        float a = cos * scaleX;
        float b = cos * scaleX * shear - sin * scale;
        float c = sin * scaleX;
        float d = sin * scaleX * shear + cos * scale;
        float radius = 1.25f + spread(random, .7f);
        float reach = radius + .5f;

        float left = Float.MAX_VALUE;
        float right = -Float.MAX_VALUE;
        float top = Float.MAX_VALUE;
        float bottom = -Float.MAX_VALUE;
        for (int i = 0; i < segments.length; i += 2) {
            float u = segments[i] * (1 + slideX * segments[i + 1]) + bendX * segments[i + 1] * segments[i + 1];
            float v = segments[i + 1] * (1 + slideY * segments[i]) + bendY * segments[i] * segments[i];
            float x = a * u + b * v;
            float y = c * u + d * v;
            points[i] = x;
            points[i + 1] = y;
            left = Math.min(left, x);
            right = Math.max(right, x);
            top = Math.min(top, y);
            bottom = Math.max(bottom, y);
        }
        float moveX = place(left, right, reach, random);
        float moveY = place(top, bottom, reach, random);

        Arrays.fill(nearest, Float.MAX_VALUE);
        for (int i = 0; i < segments.length; i += 4) {
            stroke(points[i] + moveX, points[i + 1] + moveY, points[i + 2] + moveX, points[i + 3] + moveY, reach);
        }

        float ink = 255f * (.5f + .5f * random.nextFloat());
        float grain = 34f * random.nextFloat();
        shade(reach, ink, grain, random, pixels, offset);
    }

    /** Keeps, for every pixel within reach, the squared distance to the nearest segment so far. */
    private void stroke(float x0, float y0, float x1, float y1, float reach) {
        int left = Math.max(0, (int) Math.ceil(Math.min(x0, x1) - reach));
        int right = Math.min(SIDE - 1, (int) Math.floor(Math.max(x0, x1) + reach));
        int top = Math.max(0, (int) Math.ceil(Math.min(y0, y1) - reach));
        int bottom = Math.min(SIDE - 1, (int) Math.floor(Math.max(y0, y1) + reach));
        float dx = x1 - x0;
        float dy = y1 - y0;
        float inverse = 1f / Math.max(dx * dx + dy * dy, 1e-12f);
        for (int y = top; y <= bottom; y++) {
            for (int x = left; x <= right; x++) {
                float px = x - x0;
                float py = y - y0;
                float along = Math.clamp((px * dx + py * dy) * inverse, 0f, 1f);
                float ex = px - along * dx;
                float ey = py - along * dy;
                nearest[y * SIDE + x] = Math.min(nearest[y * SIDE + x], ex * ex + ey * ey);
            }
        }
    }

    /** How far to move what lies between two coordinates: near the middle of the frame, and inside it where it fits. */
    private static float place(float from, float to, float reach, Philox random) {
        float slack = Math.max(0f, (SIDE - 1 - (to - from)) / 2f - reach);
        float wanted = spread(random, 4f);
        return (SIDE - 1) / 2f - (from + to) / 2f + Math.clamp(wanted, -slack, slack);
    }

    private void shade(float reach, float ink, float grain, Philox random, byte[] pixels, int offset) {
        int bits = 0;
        for (int i = 0; i < nearest.length; i++) {
            if ((i & 1) == 0) {
                bits = random.nextInt();
            }
            // The sum of two uniform bytes, centred: a triangular distribution with deviation 104, scaled to the grain.
            int sum = (bits & 0xFF) + (bits >>> 8 & 0xFF) - 255;
            bits >>>= 16;
            float cover = nearest[i] >= reach * reach ? 0f : Math.min(1f, reach - (float) Math.sqrt(nearest[i]));
            float value = ink * cover + grain * (1f / 104f) * sum;
            pixels[offset + i] = (byte) Math.clamp((int) (value + .5f), 0, 255);
        }
    }

    private static float spread(Philox random, float width) {
        return (2f * random.nextFloat() - 1f) * width;
    }
}
