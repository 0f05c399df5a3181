package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;

/** What tokenizers share. */
final class Tokenizers {
    private Tokenizers() {}

    static int checked(int id, Tokenizer tokenizer) {
        if (id < 0 || id >= tokenizer.vocabulary()) {
            throw new KingfisherException("token %d is outside the %s vocabulary of %d"
                    .formatted(id, tokenizer.name(), tokenizer.vocabulary()));
        }
        return id;
    }
}
