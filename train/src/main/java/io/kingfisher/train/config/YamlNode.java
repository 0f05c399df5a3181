package io.kingfisher.train.config;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A parsed YAML value with the place it was written at; scalars stay text until a {@link ValueType} reads them. */
sealed interface YamlNode {
    Location location();

    /** How an error message names this value. */
    String found();

    /**
     * @param text the scalar's text after quotes and escapes
     * @param plain whether it was written without quotes
     */
    record Scalar(String text, boolean plain, Location location) implements YamlNode {
        private static final int SHOWN = 60;

        /** Whether this is YAML's null, or Python's None. */
        boolean isNull() {
            return plain && (text.isEmpty() || text.equals("~") || text.equalsIgnoreCase("null"));
        }

        @Override
        public String found() {
            if (isNull()) {
                return "nothing";
            }
            return "'" + (text.length() > SHOWN ? text.substring(0, SHOWN) + "..." : text) + "'";
        }
    }

    /** A list. */
    record Sequence(List<YamlNode> items, Location location) implements YamlNode {
        @Override
        public String found() {
            return "a list";
        }
    }

    /** A map; its entries keep the order of the file. */
    record Mapping(Map<String, Entry> entries, Location location) implements YamlNode {
        static Mapping empty(Location location) {
            return new Mapping(new LinkedHashMap<>(), location);
        }

        @Override
        public String found() {
            return "a map of keys";
        }
    }

    /** A key's own place and its value. */
    record Entry(Location location, YamlNode value) {}
}
