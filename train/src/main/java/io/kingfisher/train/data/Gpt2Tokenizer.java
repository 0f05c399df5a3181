package io.kingfisher.train.data;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import com.knuddels.jtokkit.api.IntArrayList;
import java.util.ArrayList;
import java.util.List;

/** GPT-2's byte pair encoding (r50k_base) with 50,257 tokens, by JTokkit. Special tokens in a text are ordinary text. */
public final class Gpt2Tokenizer implements Tokenizer {
    private static final int VOCABULARY = 50_257;
    private static final int PIECE = 1 << 16;

    private final Encoding encoding;

    /** Reads the merges out of JTokkit's jar. */
    public Gpt2Tokenizer() {
        this.encoding = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.R50K_BASE);
    }

    @Override
    public String name() {
        return "gpt2";
    }

    @Override
    public int vocabulary() {
        return VOCABULARY;
    }

    @Override
    public int[] encode(String text) {
        List<int[]> parts = pieces(text).parallelStream()
                .map(piece -> encoding.encodeOrdinary(piece).toArray())
                .toList();
        var ids = new int[parts.stream().mapToInt(part -> part.length).sum()];
        int count = 0;
        for (int[] part : parts) {
            System.arraycopy(part, 0, ids, count, part.length);
            count += part.length;
        }
        return ids;
    }

    /**
     * Cuts a text where that changes no token: after a line end that stands between two characters that are not white
     * space, which the encoding's pattern always makes a token of its own.
     */
    static List<String> pieces(String text) {
        var pieces = new ArrayList<String>();
        int start = 0;
        for (int i = PIECE; i < text.length() - 1; i++) {
            boolean alone = text.charAt(i) == '\n'
                    && !Character.isWhitespace(text.charAt(i - 1))
                    && text.charAt(i - 1) < 0x80
                    && !Character.isWhitespace(text.charAt(i + 1))
                    && text.charAt(i + 1) < 0x80;
            if (alone && i + 1 - start >= PIECE) {
                pieces.add(text.substring(start, i + 1));
                start = i + 1;
            }
        }
        pieces.add(text.substring(start));
        return pieces;
    }

    @Override
    public String decode(int[] ids) {
        var list = new IntArrayList(ids.length);
        for (int id : ids) {
            list.add(Tokenizers.checked(id, this));
        }
        return encoding.decode(list);
    }
}
