package io.kingfisher.train.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The keys one part of a configuration may have: an optimizer's, a schedule's, or the file's own.
 *
 * @param name what the keys belong to, as messages and help name it
 * @param options its keys, in the order they are documented
 */
public record OptionSchema(String name, List<Option> options) {
    public OptionSchema {
        options = List.copyOf(options);
        var seen = new LinkedHashMap<String, Option>();
        for (Option option : options) {
            for (String spelling : spellings(option)) {
                if (seen.put(spelling, option) != null) {
                    throw new IllegalArgumentException(name + " has the key '" + spelling + "' twice");
                }
            }
        }
    }

    public static OptionSchema of(String name, Option... options) {
        return new OptionSchema(name, List.of(options));
    }

    /** The same schema with further keys, under another name. */
    public OptionSchema with(String newName, Option... more) {
        var all = new ArrayList<>(options);
        all.addAll(List.of(more));
        return new OptionSchema(newName, all);
    }

    /** The same schema with one key's default replaced, under another name. */
    public OptionSchema withDefault(String newName, String key, Object fallback) {
        return new OptionSchema(
                newName,
                options.stream()
                        .map(option -> option.name().equals(key)
                                ? new Option(
                                        key,
                                        option.type(),
                                        Optional.of(fallback),
                                        option.help(),
                                        option.aliases(),
                                        option.kind())
                                : option)
                        .toList());
    }

    /** Whether a key, under any of its spellings, belongs here. */
    public boolean knows(String key) {
        return find(key).isPresent();
    }

    /** The key documented under this spelling. */
    Optional<Option> find(String key) {
        return options.stream()
                .filter(option -> spellings(option).contains(key))
                .findFirst();
    }

    /** The documented names. */
    public List<String> names() {
        return options.stream().map(Option::name).toList();
    }

    /**
     * Checks a map against the schema.
     *
     * @param given the map, as it was read
     * @param prefix what stands before its keys in messages: empty, or such as {@code optimizer_kwargs.}
     * @param source for the error messages
     */
    Options check(YamlNode.Mapping given, String prefix, Source source) {
        var read = new LinkedHashMap<String, Object>();
        var spelledAs = new LinkedHashMap<String, String>();
        given.entries().forEach((key, entry) -> {
            Option option = find(key).orElseThrow(() -> unknownKey(prefix, key, source));
            String earlier = spelledAs.put(option.name(), key);
            if (earlier != null) {
                throw source.error(prefix + key, "is another name for '" + earlier + "'; keep one of them.");
            }
            read.put(option.name(), value(option, entry.value(), prefix + key, source));
        });
        var values = new LinkedHashMap<String, Object>();
        for (Option option : options) {
            if (option.kind() == Option.Kind.REQUIRED && !read.containsKey(option.name())) {
                throw source.error(
                        prefix + option.name(),
                        "is missing; " + name + " needs it (" + option.help() + ": "
                                + option.type().expected() + ").");
            }
            Object value = read.getOrDefault(option.name(), option.fallback().orElse(null));
            if (value != null) {
                values.put(option.name(), value);
            }
        }
        return new Options(values);
    }

    private RuntimeException unknownKey(String prefix, String key, Source source) {
        List<String> names = names();
        String guess = NearestName.of(key, names)
                .map(nearest -> "; did you mean '" + nearest + "'?")
                .orElse(".");
        String known = names.isEmpty() ? " It has no keys." : " Its keys are: " + String.join(", ", names) + ".";
        return source.error(prefix + key, name + " has no key '" + key + "'" + guess + known);
    }

    private static Object value(Option option, YamlNode node, String key, Source source) {
        return ValueReader.read(option.type(), node).orElseThrow(() -> {
            String guess = node instanceof YamlNode.Scalar scalar
                    ? NearestName.of(scalar.text(), option.type().names())
                            .map(nearest -> "; did you mean '" + nearest + "'?")
                            .orElse(".")
                    : ".";
            return source.error(key, "expected " + option.type().expected() + ", found " + node.found() + guess);
        });
    }

    private static List<String> spellings(Option option) {
        var spellings = new ArrayList<String>(option.aliases());
        spellings.add(option.name());
        return spellings;
    }

    /** The keys as lines of help: name, default, what is expected, what it does. */
    public String help() {
        var text = new StringBuilder();
        for (Option option : options) {
            String fallback = option.fallback().map(value -> " [" + value + "]").orElse("");
            text.append(
                    "  %-22s %s%s: %s%n".formatted(option.name(), option.type().expected(), fallback, option.help()));
        }
        return text.toString();
    }

    /** Finds a schema by name in any case. */
    static Optional<OptionSchema> named(String name, Map<String, OptionSchema> schemas) {
        return schemas.values().stream()
                .filter(schema -> schema.name().equalsIgnoreCase(name))
                .findFirst();
    }
}
