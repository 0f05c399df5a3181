package io.kingfisher.train.config;

import io.kingfisher.runtime.KingfisherException;

/**
 * A setting given on the command line, which replaces the file's.
 *
 * @param key the dotted path, such as {@code optimizer_kwargs.Lambda}
 * @param value the value: YAML as it would stand in the file, or plain text where {@code literal}
 * @param origin how messages name it, such as {@code --seed}
 * @param literal whether the value is taken as it is (paths and other options of their own)
 */
public record Setting(String key, String value, String origin, boolean literal) {
    /** Reads the argument of {@code --set}, for example {@code optimizer_kwargs.TCov=10}. */
    public static Setting set(String assignment) {
        int equals = assignment.indexOf('=');
        String key = equals < 0 ? "" : assignment.substring(0, equals).strip();
        if (key.isEmpty() || key.startsWith(".") || key.endsWith(".") || key.contains("..")) {
            throw new KingfisherException(
                    "--set " + assignment + ": expected key=value, for example --set optimizer_kwargs.TCov=10.");
        }
        return new Setting(key, assignment.substring(equals + 1).strip(), "--set " + assignment, false);
    }

    /** An option of its own, for example {@code option("--seed", "seed", "7")}. */
    public static Setting option(String option, String key, String value) {
        return new Setting(key, value, option + " " + value, true);
    }

    YamlNode node() {
        return literal
                ? new YamlNode.Scalar(value, false, new Location(origin, 0))
                : YamlReader.readValue(value, origin);
    }
}
