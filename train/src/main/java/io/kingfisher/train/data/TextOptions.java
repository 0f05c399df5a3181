package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.util.Locale;

/**
 * How text becomes windows of tokens.
 *
 * @param tokens what a token is
 * @param context tokens per window (T)
 * @param validationFraction the part at the end of a single file that is kept for evaluation; not used where the
 *     training and the evaluation text are files of their own
 * @param maxVocabulary the most words in a word vocabulary, the most frequent ones; the others become {@code <unk>}
 */
public record TextOptions(Tokens tokens, int context, double validationFraction, int maxVocabulary) {
    /** What a token is. */
    public enum Tokens {
        /** A Unicode character; the vocabulary is what occurs in the text. */
        CHAR,
        /** What stands between white space, and {@code <eos>} at the end of every line. */
        WORD,
        /** GPT-2's byte pair encoding with 50,257 tokens. */
        GPT2;

        /** Finds a kind by its name: {@code char}, {@code word} or {@code gpt2}, in upper or lower case. */
        public static Tokens of(String name) {
            return switch (name.toLowerCase(Locale.ROOT).replaceAll("[-_ ]", "")) {
                case "char", "chars", "character", "characters" -> CHAR;
                case "word", "words" -> WORD;
                case "gpt2", "bpe", "gpt2bpe" -> GPT2;
                default ->
                    throw new KingfisherException("unknown tokenizer '" + name + "'; there are char, word and gpt2");
            };
        }
    }

    /** Characters, 128 of them per window, the last 10 % for evaluation. */
    public static final TextOptions DEFAULT = new TextOptions(Tokens.CHAR, 128, 0.1, 100_000);

    public TextOptions {
        if (context < 1 || context > 1 << 20) {
            throw new KingfisherException("the context length must be between 1 and 1048576 tokens, not " + context);
        }
        if (!(validationFraction > 0 && validationFraction < 1)) {
            throw new KingfisherException("the validation fraction must be between 0 and 1, not " + validationFraction);
        }
        if (maxVocabulary < 2) {
            throw new KingfisherException("the largest vocabulary must be at least 2 words, not " + maxVocabulary);
        }
    }

    public TextOptions withTokens(Tokens value) {
        return new TextOptions(value, context, validationFraction, maxVocabulary);
    }

    public TextOptions withContext(int value) {
        return new TextOptions(tokens, value, validationFraction, maxVocabulary);
    }

    public TextOptions withValidationFraction(double value) {
        return new TextOptions(tokens, context, value, maxVocabulary);
    }

    public TextOptions withMaxVocabulary(int value) {
        return new TextOptions(tokens, context, validationFraction, value);
    }
}
