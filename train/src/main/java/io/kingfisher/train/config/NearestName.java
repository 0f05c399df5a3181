package io.kingfisher.train.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Finds the valid name a user most likely meant. */
final class NearestName {
    private NearestName() {}

    /** The valid name with the smallest edit distance, if it is near enough to be a guess worth printing. */
    static Optional<String> of(String word, Collection<String> valid) {
        int near = Math.max(2, word.length() / 2);
        return valid.stream()
                .min(Comparator.comparingInt((String name) -> distance(fold(word), fold(name)))
                        .thenComparing(Comparator.naturalOrder()))
                .filter(name -> distance(fold(word), fold(name)) <= near);
    }

    /** Edit distance with insertions, deletions, substitutions and swaps of neighbours, each costing 1. */
    static int distance(String a, String b) {
        int[] beforeLast = new int[b.length() + 1];
        int[] last = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            last[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] row = new int[b.length() + 1];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                row[j] = Math.min(Math.min(row[j - 1], last[j]) + 1, last[j - 1] + change);
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
                }
            }
            beforeLast = last;
            last = row;
        }
        return last[b.length()];
    }

    /** Case, dashes and underscores are the commonest slips, so they count for nothing. */
    private static String fold(String name) {
        return name.toLowerCase(Locale.ROOT).replace("-", "").replace("_", "");
    }
}
