package io.kingfisher.train.data;

/** Turns text into token ids and back. Implementations are immutable and safe for concurrent use. */
public interface Tokenizer {
    /** {@code char}, {@code word} or {@code gpt2}. */
    String name();

    /** Distinct ids: every id is in {@code [0, vocabulary())}. */
    int vocabulary();

    /** The ids of a text. Throws a KingfisherException that names a symbol the vocabulary lacks and has no stand-in for. */
    int[] encode(String text);

    /** The text of some ids. */
    String decode(int[] ids);
}
