package io.kingfisher.train.config;

import io.kingfisher.runtime.KingfisherException;
import java.util.Collection;
import java.util.Map;

/**
 * Where every key of a configuration came from, so that an error found long after reading (an unknown network, a model
 * size that does not divide) can still point at the line to change.
 *
 * @param file the configuration's path as the user gave it
 * @param locations the place of each given key, by its dotted path such as {@code optimizer_kwargs.Lambda}
 */
public record Source(String file, Map<String, Location> locations) {
    public Source {
        locations = Map.copyOf(locations);
    }

    /** The place of a key, of the nearest key above it, or the file where it is a default. */
    public Location locate(String key) {
        for (String path = key; ; path = path.substring(0, path.lastIndexOf('.'))) {
            Location location = locations.get(path);
            if (location != null) {
                return location;
            }
            if (path.lastIndexOf('.') < 0) {
                return new Location(file, 0);
            }
        }
    }

    /** An error about a key: {@code configs/a.yaml:7: model.heads: must divide the width 100.} */
    public KingfisherException error(String key, String problem) {
        return new KingfisherException(locate(key) + ": " + key + ": " + problem);
    }

    /** An error about a name that is not known, with the nearest valid one. */
    public KingfisherException unknownName(String key, String found, Collection<String> valid) {
        return error(key, unknown(found, valid));
    }

    static String unknown(String found, Collection<String> valid) {
        String guess = NearestName.of(found, valid)
                .map(name -> "did you mean '" + name + "'? ")
                .orElse("");
        return "'" + found + "' is not known; " + guess + "Known are: " + String.join(", ", valid) + ".";
    }
}
