package io.kingfisher.layers;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Finding the name that somebody meant. */
public final class Names {
    private Names() {}

    /** The end of a sentence about a wrong name: "; did you mean a, b or c?", the nearest first. */
    public static String hint(String wrong, Collection<String> valid) {
        List<String> near = nearest(wrong, valid, 3);
        return near.isEmpty() ? "; there are none." : "; did you mean " + join(near) + "?";
    }

    /**
     * The {@code count} valid names that differ least from a wrong one, without regard to case: first those of which it is
     * the beginning, then by edit distance.
     */
    public static List<String> nearest(String wrong, Collection<String> valid, int count) {
        return valid.stream()
                .sorted(Comparator.comparing((String name) -> !begins(name, wrong))
                        .thenComparingInt(name -> distance(wrong, name))
                        .thenComparing(Comparator.naturalOrder()))
                .limit(count)
                .toList();
    }

    private static boolean begins(String name, String start) {
        return name.toLowerCase(Locale.ROOT).startsWith(start.toLowerCase(Locale.ROOT));
    }

    /** "a, b or c". */
    public static String join(List<String> names) {
        int last = names.size() - 1;
        return last < 1 ? String.join("", names) : String.join(", ", names.subList(0, last)) + " or " + names.get(last);
    }

    private static int distance(String first, String second) {
        String a = first.toLowerCase(Locale.ROOT), b = second.toLowerCase(Locale.ROOT);
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substituted = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(substituted, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
