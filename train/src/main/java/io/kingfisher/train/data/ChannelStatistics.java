package io.kingfisher.train.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Mean and standard deviation of each channel, with pixels scaled to [0, 1]. */
final class ChannelStatistics {
    private final float[] mean;
    private final float[] std;

    ChannelStatistics(float[] mean, float[] std) {
        this.mean = mean;
        this.std = std;
    }

    /** Published or measured values, one (mean, std) pair for each channel. */
    static ChannelStatistics of(double... meansThenStds) {
        int channels = meansThenStds.length / 2;
        var mean = new float[channels];
        var std = new float[channels];
        for (int c = 0; c < channels; c++) {
            mean[c] = (float) meansThenStds[c];
            std[c] = (float) meansThenStds[channels + c];
        }
        return new ChannelStatistics(mean, std);
    }

    /** Measures U8 images [N,C,H,W]. A channel that never changes gets a deviation of 1. */
    static ChannelStatistics measure(MemorySegment pixels, MemoryImages.Format format) {
        long plane = (long) format.height() * format.width();
        var counts = new long[format.channels()][256];
        var buffer = new byte[1 << 16];
        int channel = 0;
        for (long start = 0; start < pixels.byteSize(); start += plane) {
            for (long done = 0; done < plane; ) {
                int count = (int) Math.min(buffer.length, plane - done);
                MemorySegment.copy(pixels, ValueLayout.JAVA_BYTE, start + done, buffer, 0, count);
                for (int i = 0; i < count; i++) {
                    counts[channel][buffer[i] & 0xFF]++;
                }
                done += count;
            }
            channel = (channel + 1) % format.channels();
        }
        var result = new double[2 * format.channels()];
        for (int c = 0; c < format.channels(); c++) {
            double n = Math.max(1, Arrays.stream(counts[c]).sum());
            double sum = 0;
            double squares = 0;
            for (int v = 0; v < 256; v++) {
                sum += counts[c][v] * (v / 255.0);
                squares += counts[c][v] * (v / 255.0) * (v / 255.0);
            }
            double variance = squares / n - (sum / n) * (sum / n);
            result[c] = sum / n;
            result[format.channels() + c] = variance < 1e-12 ? 1 : Math.sqrt(variance);
        }
        return of(result);
    }

    float[] mean() {
        return mean.clone();
    }

    float[] std() {
        return std.clone();
    }
}
