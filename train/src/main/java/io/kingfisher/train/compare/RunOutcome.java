package io.kingfisher.train.compare;

import io.kingfisher.optimizers.curvature.Health;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How one run went.
 *
 * @param failure why it did not reach the end of its budget; empty where it did
 * @param facts steps, epochs, seconds, bytes of state and the device
 * @param health the condition of each layer's curvature at the end, from {@link #map}
 * @param points the evaluations, in order
 */
public record RunOutcome(
        String failure, Map<String, Object> facts, List<Map<String, Object>> health, List<Map<String, Object>> points) {
    /** The file with the evaluations, one JSON object a line. */
    public static final String POINTS = "points.jsonl";

    /** A layer's health as JSON. */
    public static Map<String, Object> map(Health health) {
        var map = new LinkedHashMap<String, Object>();
        map.put("layer", health.layer());
        map.put("smallest", health.smallest());
        map.put("largest", health.largest());
        map.put("mean", health.mean());
        map.put("condition", health.condition());
        map.put("relative_damping", health.relativeDamping());
        return map;
    }

    /** The outcome as JSON, without the points. */
    public Map<String, Object> toMap() {
        var map = new LinkedHashMap<String, Object>();
        map.put("failure", failure);
        map.putAll(facts);
        map.put("health", health);
        return map;
    }
}
