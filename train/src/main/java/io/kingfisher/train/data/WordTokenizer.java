package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.StringTokenizer;
import java.util.function.Consumer;

/**
 * One token for what stands between white space and one, {@code <eos>}, for the end of every line, as is usual for
 * WikiText. Words outside the vocabulary become {@code <unk>}. Id 0 is {@code <unk>}, 1 is {@code <eos>}, the others
 * follow from the most frequent on.
 */
public final class WordTokenizer implements Tokenizer {
    /** What stands for every word outside the vocabulary: id 0. */
    public static final String UNKNOWN = "<unk>";

    /** What stands for the end of a line: id 1. */
    public static final String END = "<eos>";

    private final List<String> words;
    private final Map<String, Integer> ids = new HashMap<>();

    /**
     * The most frequent words of a text; of equally frequent ones the first in the order of their characters.
     *
     * @param most the largest vocabulary, {@code <unk>} and {@code <eos>} included; at least 2
     */
    public WordTokenizer(String text, int most) {
        if (most < 2) {
            throw new KingfisherException("the largest vocabulary must be at least 2 words, not " + most);
        }
        var counts = new HashMap<String, Integer>();
        split(text, word -> counts.merge(word, 1, Integer::sum));
        counts.remove(UNKNOWN);
        counts.remove(END);
        var found = new ArrayList<>(List.of(UNKNOWN, END));
        counts.entrySet().stream()
                .sorted(Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder())
                        .thenComparing(Map.Entry.comparingByKey()))
                .limit(most - 2L)
                .forEach(entry -> found.add(entry.getKey()));
        this.words = List.copyOf(found);
        for (String word : words) {
            ids.put(word, ids.size());
        }
    }

    private static void split(String text, Consumer<String> words) {
        text.lines().forEach(line -> {
            var tokens = new StringTokenizer(line);
            while (tokens.hasMoreTokens()) {
                words.accept(tokens.nextToken());
            }
            words.accept(END);
        });
    }

    @Override
    public String name() {
        return "word";
    }

    @Override
    public int vocabulary() {
        return words.size();
    }

    /** The words by id. */
    public List<String> words() {
        return words;
    }

    @Override
    public int[] encode(String text) {
        var sink = new Object() {
            int[] tokens = new int[1024];
            int count;
        };
        split(text, word -> {
            if (sink.count == sink.tokens.length) {
                sink.tokens = Arrays.copyOf(sink.tokens, sink.count * 2);
            }
            sink.tokens[sink.count++] = ids.getOrDefault(word, 0);
        });
        return Arrays.copyOf(sink.tokens, sink.count);
    }

    @Override
    public String decode(int[] tokens) {
        var text = new StringBuilder();
        boolean lineStart = true;
        for (int id : tokens) {
            String word = words.get(Tokenizers.checked(id, this));
            if (word.equals(END)) {
                text.append('\n');
                lineStart = true;
            } else {
                text.append(lineStart ? "" : " ").append(word);
                lineStart = false;
            }
        }
        return text.toString();
    }
}
