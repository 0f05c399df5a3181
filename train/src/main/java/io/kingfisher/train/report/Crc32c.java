package io.kingfisher.train.report;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** The checksum of TFRecord files: CRC-32C, rotated and offset so that checksums of checksums stay good. */
final class Crc32c {
    private Crc32c() {}

    static int masked(ByteBuffer bytes) {
        var crc = new CRC32C();
        crc.update(bytes.duplicate());
        int value = (int) crc.getValue();
        return Integer.rotateRight(value, 15) + 0xa282ead8;
    }
}
