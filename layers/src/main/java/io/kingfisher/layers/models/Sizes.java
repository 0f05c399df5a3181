package io.kingfisher.layers.models;

import io.kingfisher.layers.Names;
import io.kingfisher.runtime.KingfisherException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** A model's sizes from a configuration; whoever has asked for all that it knows checks that nothing else was given. */
final class Sizes {
    private final String model;
    private final Map<String, ?> given;
    private final Set<String> known = new TreeSet<>();

    Sizes(String model, Map<String, ?> given) {
        this.model = model;
        this.given = given;
    }

    int count(String key, int usual) {
        return number(key, value(key, usual));
    }

    List<Integer> counts(String key, List<Integer> usual) {
        Object value = value(key, usual);
        if (!(value instanceof List<?> list)) {
            throw wrong(key, "a list of whole numbers of at least 1", value);
        }
        return list.stream().map(entry -> number(key, entry)).toList();
    }

    boolean flag(String key, boolean usual) {
        Object value = value(key, usual);
        if (!(value instanceof Boolean flag)) {
            throw wrong(key, "true or false", value);
        }
        return flag;
    }

    double share(String key, double usual) {
        Object value = value(key, usual);
        if (!(value instanceof Number number) || !(number.doubleValue() >= 0 && number.doubleValue() < 1)) {
            throw wrong(key, "a number of at least 0 and less than 1", value);
        }
        return number.doubleValue();
    }

    private int number(String key, Object value) {
        if (!(value instanceof Number number) || number.doubleValue() != number.intValue() || number.intValue() < 1) {
            throw wrong(key, "a whole number of at least 1", value);
        }
        return number.intValue();
    }

    private Object value(String key, Object usual) {
        known.add(key);
        Object value = given.get(key);
        return value == null ? usual : value;
    }

    private KingfisherException wrong(String key, String expected, Object value) {
        return new KingfisherException(
                "The size '" + key + "' of the model " + model + " is " + expected + ", not '" + value + "'.");
    }

    /** Fails where a size was given that nobody asked for. */
    void finish() {
        for (String key : given.keySet()) {
            if (!known.contains(key)) {
                throw new KingfisherException(
                        "The model " + model + " has no size '" + key + "'" + Names.hint(key, known));
            }
        }
    }
}
