package io.kingfisher.train.config;

import java.util.List;
import java.util.Optional;

/**
 * One key of a schema.
 *
 * @param name the key as documented
 * @param type what its value may be
 * @param fallback the value used where the key is not given; empty leaves the setting out
 * @param help one line for {@code --help}
 * @param aliases other spellings that existing files use
 * @param kind whether the key must be given, may be given, or has no effect
 */
public record Option(
        String name, ValueType type, Optional<Object> fallback, String help, List<String> aliases, Kind kind) {
    /** What a key's absence or presence means. */
    public enum Kind {
        /** It may be left out. */
        OPTIONAL,
        /** It must be given. */
        REQUIRED,
        /** It is accepted for the sake of existing files and has no effect. */
        IGNORED
    }

    public Option {
        aliases = List.copyOf(aliases);
    }

    /** A key with a default; {@code fallback} must be of the class that {@code type} reads (Double, Long, ...). */
    public static Option of(String name, ValueType type, Object fallback, String help) {
        return new Option(name, type, Optional.of(fallback), help, List.of(), Kind.OPTIONAL);
    }

    /** A key that is absent unless it is given. */
    public static Option unset(String name, ValueType type, String help) {
        return new Option(name, type, Optional.empty(), help, List.of(), Kind.OPTIONAL);
    }

    /** A key that must be given. */
    public static Option required(String name, ValueType type, String help) {
        return new Option(name, type, Optional.empty(), help, List.of(), Kind.REQUIRED);
    }

    /** A key that existing files have and that does nothing here. */
    public static Option ignored(String name, ValueType type, String why) {
        return new Option(name, type, Optional.empty(), why, List.of(), Kind.IGNORED);
    }

    /** The same key under further names. */
    public Option orNamed(String... others) {
        return new Option(name, type, fallback, help, List.of(others), kind);
    }
}
