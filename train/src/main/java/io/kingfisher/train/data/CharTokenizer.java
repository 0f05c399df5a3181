package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** One token for each Unicode character; ids are places in the ascending list of characters. */
public final class CharTokenizer implements Tokenizer {
    private final int[] characters;

    /** The characters that occur in some texts. */
    public CharTokenizer(String... texts) {
        this.characters = Stream.of(texts)
                .flatMapToInt(CharTokenizer::distinct)
                .sorted()
                .distinct()
                .toArray();
        if (characters.length == 0) {
            throw new KingfisherException("a character vocabulary cannot be made from an empty text");
        }
    }

    private static IntStream distinct(String text) {
        var seen = new java.util.BitSet();
        text.codePoints().forEach(seen::set);
        return seen.stream();
    }

    @Override
    public String name() {
        return "char";
    }

    @Override
    public int vocabulary() {
        return characters.length;
    }

    @Override
    public int[] encode(String text) {
        var ids = new int[text.codePointCount(0, text.length())];
        int count = 0;
        for (int i = 0; i < text.length(); ) {
            int character = text.codePointAt(i);
            int id = Arrays.binarySearch(characters, character);
            if (id < 0) {
                throw new KingfisherException(
                        "character %d of the text, U+%04X '%s', is not among the %d that the vocabulary was made from"
                                .formatted(count, character, Character.toString(character), characters.length));
            }
            ids[count++] = id;
            i += Character.charCount(character);
        }
        return ids;
    }

    @Override
    public String decode(int[] ids) {
        var text = new StringBuilder(ids.length);
        for (int id : ids) {
            text.appendCodePoint(characters[Tokenizers.checked(id, this)]);
        }
        return text.toString();
    }
}
