package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;

/**
 * A place in a loader's stream of batches.
 *
 * @param epoch passes over the data completed before it
 * @param batch batches of that epoch before it
 */
public record Position(int epoch, int batch) {
    public static final Position START = new Position(0, 0);

    public Position {
        if (epoch < 0 || batch < 0) {
            throw new KingfisherException(
                    "a data position must not be negative: epoch %d, batch %d".formatted(epoch, batch));
        }
    }
}
