package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.util.List;

/**
 * The encoded images of one split, with the size and number of channels that all of them are brought to.
 *
 * @param source where they are
 * @param images which of them
 * @param format what {@link #read} gives
 * @param scale whether images of another size are scaled and cropped, or refused
 */
record EncodedImages(ImageSource source, List<ImageTree.Image> images, MemoryImages.Format format, boolean scale) {
    /** Reads, decodes and, where wanted, scales one image into U8 [C,H,W]. */
    void read(int index, ImageDecoder decoder, byte[] target, int offset) {
        String name = images.get(index).name();
        ImageDecoder.Decoded image = decoder.decode(source.read(name), source.where(name));
        if (scale) {
            image = ImageScaler.square(image, format.height());
        }
        if (image.height() != format.height() || image.width() != format.width()) {
            throw new KingfisherException(
                    "%s: the image is %d x %d, the first ones are %d x %d (width x height); set the image size so that all are scaled and cropped to it"
                            .formatted(
                                    source.where(name),
                                    image.width(),
                                    image.height(),
                                    format.width(),
                                    format.height()));
        }
        int plane = format.height() * format.width();
        if (image.channels() == format.channels()) {
            System.arraycopy(image.pixels(), 0, target, offset, format.bytes());
        } else if (image.channels() == 1) {
            for (int c = 0; c < format.channels(); c++) {
                System.arraycopy(image.pixels(), 0, target, offset + c * plane, plane);
            }
        } else {
            throw new KingfisherException("%s: the image has colours, but the images looked at first are all grey"
                    .formatted(source.where(name)));
        }
    }

    /** Bytes of all images, decoded. */
    long decodedBytes() {
        return (long) images.size() * format.bytes();
    }
}
