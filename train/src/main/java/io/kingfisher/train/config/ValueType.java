package io.kingfisher.train.config;

import java.util.List;
import java.util.stream.Stream;

/**
 * What a setting's value may be: how its text is read, and how an error message describes what was expected.
 *
 * <p>Numbers are read more kindly than YAML 1.1 does ({@code 1e-3} is a number, as {@code 0.001} is; quotes do not
 * matter), because that is how such files are written in practice.
 */
public sealed interface ValueType {
    /** What a message says was expected, for example {@code a number > 0}. */
    String expected();

    /** Any number. */
    static ValueType real() {
        return new Real(Double.NEGATIVE_INFINITY, true, Double.POSITIVE_INFINITY, true);
    }

    /** A number above 0. */
    static ValueType positive() {
        return new Real(0, true, Double.POSITIVE_INFINITY, true);
    }

    /** A number not below 0. */
    static ValueType nonNegative() {
        return new Real(0, false, Double.POSITIVE_INFINITY, true);
    }

    /** A number in [0, 1]: a fraction. */
    static ValueType fraction() {
        return new Real(0, false, 1, false);
    }

    /** A number in [0, 1): a decay or a probability that must leave something. */
    static ValueType decay() {
        return new Real(0, false, 1, true);
    }

    /** A whole number of at least {@code min} that fits an int. */
    static ValueType atLeast(long min) {
        return new Whole(min, Integer.MAX_VALUE);
    }

    /** One of the given words, in any case. */
    static ValueType choice(String... names) {
        return new Choice(List.of(names));
    }

    /** A finite number between two bounds, each excluded where it is open; the value is a {@link Double}. */
    record Real(double min, boolean minOpen, double max, boolean maxOpen) implements ValueType {
        @Override
        public String expected() {
            boolean below = min > Double.NEGATIVE_INFINITY;
            boolean above = max < Double.POSITIVE_INFINITY;
            if (below && above) {
                return "a number in " + (minOpen ? "(" : "[") + plain(min) + ", " + plain(max) + (maxOpen ? ")" : "]");
            }
            return below ? "a number " + (minOpen ? "> " : ">= ") + plain(min) : "a number";
        }

        private static String plain(double x) {
            return x == Math.rint(x) ? Long.toString((long) x) : Double.toString(x);
        }
    }

    /** A whole number between two bounds, both included; the value is a {@link Long}. */
    record Whole(long min, long max) implements ValueType {
        @Override
        public String expected() {
            if (min == Long.MIN_VALUE) {
                return "a whole number";
            }
            return max >= Integer.MAX_VALUE ? "a whole number >= " + min : "a whole number from " + min + " to " + max;
        }
    }

    /** True or false; the value is a {@link Boolean}. */
    record Bool() implements ValueType {
        @Override
        public String expected() {
            return "true or false";
        }
    }

    /** Only false: an option that other tools have and that is not supported here. */
    record OnlyFalse() implements ValueType {
        @Override
        public String expected() {
            return "false (it is not supported)";
        }
    }

    /** Text that is not blank; the value is a {@link String}. */
    record Text() implements ValueType {
        @Override
        public String expected() {
            return "a text";
        }
    }

    /** One word of a list, in any case; the value is the {@link String} as the list spells it. */
    record Choice(List<String> names) implements ValueType {
        public Choice {
            names = List.copyOf(names);
        }

        @Override
        public String expected() {
            return names.size() == 1 ? "'" + names.getFirst() + "'" : "one of " + String.join(", ", names);
        }
    }

    /** A list with between {@code minSize} and {@code maxSize} items; the value is an unmodifiable {@link List}. */
    record ListOf(ValueType item, int minSize, int maxSize) implements ValueType {
        @Override
        public String expected() {
            String size = minSize == maxSize ? " of " + minSize : "";
            return "a list" + size + " such as [a, b], each " + item.expected();
        }
    }

    /** A word with a meaning of its own (such as {@code auto}), or a value of another type. */
    record WordOr(String word, ValueType type) implements ValueType {
        @Override
        public String expected() {
            return type.expected() + ", or '" + word + "'";
        }
    }

    /** The words a misspelt value may have been meant to be; empty for types without names. */
    default List<String> names() {
        return switch (this) {
            case Choice choice -> choice.names();
            case WordOr or ->
                Stream.concat(Stream.of(or.word()), or.type().names().stream()).toList();
            default -> List.of();
        };
    }
}
