package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * One long sequence of tokens, cut into windows of {@link #context()} tokens with targets shifted by one. Window
 * {@code i} of a sequential pass starts at token {@code i * context}; the last one may be short.
 */
public final class TokenDataset implements Dataset {
    private final String name;
    private final Split split;
    private final Tokenizer tokenizer;
    private final int context;
    private final int length;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment tokens;

    /**
     * Takes a copy of the tokens.
     *
     * @param tokens at least two ids in {@code [0, tokenizer.vocabulary())}
     * @param context tokens per window
     */
    public TokenDataset(String name, Split split, Tokenizer tokenizer, int context, int[] tokens) {
        if (context < 1) {
            throw new KingfisherException(name + ": the context length must be at least 1, not " + context);
        }
        if (tokens.length < 2) {
            throw new KingfisherException(
                    "%s: the %s text has %d tokens; at least 2 are needed to predict one from another"
                            .formatted(name, split.label(), tokens.length));
        }
        for (int i = 0; i < tokens.length; i++) {
            if (tokens[i] < 0 || tokens[i] >= tokenizer.vocabulary()) {
                throw new KingfisherException("%s: token %d of the %s text is %d, outside the vocabulary of %d"
                        .formatted(name, i, split.label(), tokens[i], tokenizer.vocabulary()));
            }
        }
        this.name = name;
        this.split = split;
        this.tokenizer = tokenizer;
        this.context = context;
        this.length = tokens.length;
        this.tokens = arena.allocate(4L * length, 64);
        MemorySegment.copy(tokens, 0, this.tokens, ValueLayout.JAVA_INT, 0, length);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Split split() {
        return split;
    }

    /** Windows in one sequential pass, the last one possibly short. */
    @Override
    public int size() {
        return (length - 2) / context + 1;
    }

    @Override
    public int classes() {
        return tokenizer.vocabulary();
    }

    /** Tokens per window. */
    public int context() {
        return context;
    }

    /** Tokens in the whole text of this split. */
    public int tokenCount() {
        return length;
    }

    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /**
     * Copies tokens {@code [start, start + count)} into an I32 segment from a byte offset on.
     */
    public void read(int start, int count, MemorySegment target, long offset) {
        MemorySegment.copy(tokens, 4L * start, target, offset, 4L * count);
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
