package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.awt.image.IndexColorModel;
import java.awt.image.PixelInterleavedSampleModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.event.IIOReadWarningListener;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * Decodes JPEG and PNG into planar bytes. The size is read from the header and checked before anything is decoded; data
 * that the JPEG library would patch over with grey is an error. Alpha is left out and 16 bits are cut to 8.
 *
 * <p>Not safe for concurrent use: one for each thread.
 */
final class ImageDecoder {
    private static final int LONGEST_SIDE = 1 << 15;
    private static final int MOST_PIXELS = 1 << 26;

    private final ImageReader jpeg = ImageIO.getImageReadersByFormatName("jpeg").next();
    private final ImageReader png = ImageIO.getImageReadersByFormatName("png").next();
    private String complaint;

    ImageDecoder() {
        jpeg.addIIOReadWarningListener((IIOReadWarningListener) (reader, warning) -> {
            boolean dataLost = warning.startsWith("Premature end")
                    || (warning.startsWith("Corrupt JPEG data") && !warning.contains("extraneous bytes"));
            complaint = dataLost && complaint == null ? warning : complaint;
        });
    }

    /**
     * An image as U8 [C,H,W].
     *
     * @param channels 1 or 3
     */
    record Decoded(int channels, int height, int width, byte[] pixels) {}

    /** Decodes an image; {@code where} it is goes into error messages. */
    Decoded decode(byte[] encoded, String where) {
        ImageReader reader = readerFor(encoded, where);
        complaint = null;
        try (var in = new MemoryCacheImageInputStream(new ByteArrayInputStream(encoded))) {
            reader.setInput(in, true, true);
            int width = reader.getWidth(0);
            int height = reader.getHeight(0);
            if (width > LONGEST_SIDE || height > LONGEST_SIDE || (long) width * height > MOST_PIXELS) {
                throw new KingfisherException(
                        "%s: the image says it has %d x %d pixels; at most %d a side and %d in all are accepted"
                                .formatted(where, width, height, LONGEST_SIDE, MOST_PIXELS));
            }
            BufferedImage image = reader.read(0);
            if (complaint != null) {
                throw new KingfisherException("%s: the image is damaged: %s".formatted(where, complaint));
            }
            return planar(image);
        } catch (KingfisherException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            // The readers of the JDK answer damaged files with every kind of unchecked exception.
            throw new KingfisherException("%s: the image does not decode: %s".formatted(where, e), e);
        } finally {
            reader.setInput(null);
        }
    }

    private ImageReader readerFor(byte[] encoded, String where) {
        if (startsWith(encoded, 0xFF, 0xD8, 0xFF)) {
            return jpeg;
        }
        if (startsWith(encoded, 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n')) {
            return png;
        }
        throw new KingfisherException("%s, byte 0: neither JPEG nor PNG".formatted(where));
    }

    private static boolean startsWith(byte[] bytes, int... expected) {
        for (int i = 0; i < expected.length; i++) {
            if (i >= bytes.length || (bytes[i] & 0xFF) != expected[i]) {
                return false;
            }
        }
        return true;
    }

    private static Decoded planar(BufferedImage image) {
        Raster raster = image.getRaster();
        int width = image.getWidth();
        int height = image.getHeight();
        int plane = width * height;
        boolean palette = image.getColorModel() instanceof IndexColorModel;
        int bands = raster.getNumBands();
        int shift = Math.max(0, image.getColorModel().getComponentSize(0) - 8);
        if (!palette && bands <= 2) {
            // Samples are taken as they are: getRGB would change the brightness of grey.
            int[] samples = raster.getSamples(0, 0, width, height, 0, (int[]) null);
            var pixels = new byte[plane];
            for (int i = 0; i < plane; i++) {
                pixels[i] = (byte) (samples[i] >> shift);
            }
            return new Decoded(1, height, width, pixels);
        }
        var pixels = new byte[3 * plane];
        if (image.getType() == BufferedImage.TYPE_3BYTE_BGR
                && raster.getDataBuffer() instanceof DataBufferByte buffer
                && raster.getSampleModel() instanceof PixelInterleavedSampleModel model
                && model.getScanlineStride() == 3 * width) {
            byte[] bgr = buffer.getData();
            for (int i = 0; i < plane; i++) {
                pixels[i] = bgr[3 * i + 2];
                pixels[plane + i] = bgr[3 * i + 1];
                pixels[2 * plane + i] = bgr[3 * i];
            }
            return new Decoded(3, height, width, pixels);
        }
        if (!palette) {
            for (int c = 0; c < 3; c++) {
                int[] samples = raster.getSamples(0, 0, width, height, c, (int[]) null);
                for (int i = 0; i < plane; i++) {
                    pixels[c * plane + i] = (byte) (samples[i] >> shift);
                }
            }
            return new Decoded(3, height, width, pixels);
        }
        int[] argb = image.getRGB(0, 0, width, height, null, 0, width);
        boolean grey =
                Arrays.stream(argb).allMatch(p -> (p >> 16 & 0xFF) == (p & 0xFF) && (p >> 8 & 0xFF) == (p & 0xFF));
        for (int i = 0; i < plane; i++) {
            pixels[i] = (byte) (argb[i] >> 16);
            pixels[plane + i] = (byte) (argb[i] >> 8);
            pixels[2 * plane + i] = (byte) argb[i];
        }
        return grey
                ? new Decoded(1, height, width, Arrays.copyOf(pixels, plane))
                : new Decoded(3, height, width, pixels);
    }
}
