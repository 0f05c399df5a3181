package io.kingfisher.train.config;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Settings that a schema has checked: every name is known and every value has its type, so reading one cannot fail
 * except by asking for a name the schema does not have (a programming error, {@link IllegalArgumentException}).
 *
 * @param values Double, Long, Boolean, String or List by name, in the schema's order; defaults are filled in
 */
public record Options(Map<String, Object> values) {
    /** No settings. */
    public static final Options NONE = new Options(Map.of());

    public Options {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /** Whether a setting has a value. */
    public boolean has(String name) {
        return values.containsKey(name);
    }

    /** Whether a setting is the word {@code auto}: to be worked out by whoever uses it. */
    public boolean isAuto(String name) {
        return "auto".equals(values.get(name));
    }

    /** A number. */
    public double real(String name) {
        return get(name, Number.class).doubleValue();
    }

    /** A number, or {@code fallback} where it is unset or {@code auto}. */
    public double real(String name, double fallback) {
        return has(name) && !isAuto(name) ? real(name) : fallback;
    }

    /** A whole number. */
    public long whole(String name) {
        return get(name, Long.class);
    }

    /** A whole number, or {@code fallback} where it is unset or {@code auto}. */
    public long whole(String name, long fallback) {
        return has(name) && !isAuto(name) ? whole(name) : fallback;
    }

    /** A whole number that fits an int. */
    public int integer(String name) {
        return Math.toIntExact(whole(name));
    }

    /** A whole number that fits an int, or {@code fallback} where it is unset or {@code auto}. */
    public int integer(String name, int fallback) {
        return Math.toIntExact(whole(name, fallback));
    }

    /** True or false. */
    public boolean flag(String name) {
        return get(name, Boolean.class);
    }

    /** A word or text. */
    public String text(String name) {
        return get(name, String.class);
    }

    /** A word or text, if it is set. */
    public Optional<String> textIfSet(String name) {
        return has(name) ? Optional.of(text(name)) : Optional.empty();
    }

    /** A list of whole numbers; empty where it is unset. */
    public List<Long> wholes(String name) {
        return has(name) ? list(name, Long.class) : List.of();
    }

    /** A list of texts; empty where it is unset. */
    public List<String> texts(String name) {
        return has(name) ? list(name, String.class) : List.of();
    }

    private <T> List<T> list(String name, Class<T> item) {
        List<?> items = get(name, List.class);
        return items.stream().<T>map(item::cast).toList();
    }

    private <T> T get(String name, Class<T> type) {
        Object value = values.get(name);
        if (!type.isInstance(value)) {
            throw new IllegalArgumentException("no " + type.getSimpleName() + " setting '" + name + "' in " + values);
        }
        return type.cast(value);
    }
}
