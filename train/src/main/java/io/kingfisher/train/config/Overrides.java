package io.kingfisher.train.config;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Puts command-line settings into a parsed file, and lists where every key of the result came from. */
final class Overrides {
    private Overrides() {}

    /** The tree with one key set; maps on the way are made where they are missing. */
    static YamlNode.Mapping apply(YamlNode.Mapping root, Setting setting) {
        return put(root, List.of(setting.key().split("\\.")), setting, setting.node());
    }

    private static YamlNode.Mapping put(YamlNode.Mapping map, List<String> path, Setting setting, YamlNode value) {
        var location = new Location(setting.origin(), 0);
        var entries = new LinkedHashMap<>(map.entries());
        String key = path.getFirst();
        if (path.size() == 1) {
            entries.put(key, new YamlNode.Entry(location, value));
        } else {
            var inner = entries.get(key);
            boolean isMap = inner != null && inner.value() instanceof YamlNode.Mapping;
            var below = isMap ? (YamlNode.Mapping) inner.value() : YamlNode.Mapping.empty(location);
            Location place = isMap ? inner.location() : location;
            entries.put(key, new YamlNode.Entry(place, put(below, path.subList(1, path.size()), setting, value)));
        }
        return new YamlNode.Mapping(entries, map.location());
    }

    /** The place of every key, by its dotted path. */
    static Map<String, Location> locations(YamlNode.Mapping root) {
        var locations = new LinkedHashMap<String, Location>();
        collect("", root, locations);
        return locations;
    }

    private static void collect(String prefix, YamlNode.Mapping map, Map<String, Location> into) {
        map.entries().forEach((key, entry) -> {
            into.put(prefix + key, entry.location());
            if (entry.value() instanceof YamlNode.Mapping inner) {
                collect(prefix + key + ".", inner, into);
            }
        });
    }
}
