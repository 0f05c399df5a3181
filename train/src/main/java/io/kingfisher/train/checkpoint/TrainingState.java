package io.kingfisher.train.checkpoint;

import io.kingfisher.train.json.Json;
import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where a run stands, beside its tensors: with both, a run that was stopped continues as if it never was.
 *
 * @param epoch epochs that are complete
 * @param step steps that are complete, over all epochs
 * @param batch batches that are complete in the epoch after those; 0 between epochs
 * @param seed the run's seed
 * @param random the random generators' keys and counters, by name
 * @param schedule the learning-rate schedule's own state (JSON values)
 * @param data the data's position (JSON values)
 * @param progress what the loop keeps beside: best results, early stopping, sums of the epoch so far (JSON values)
 * @param config the run's configuration, {@code RunConfig.settings()}
 */
public record TrainingState(
        int epoch,
        long step,
        long batch,
        long seed,
        Map<String, Long> random,
        Map<String, Object> schedule,
        Map<String, Object> data,
        Map<String, Object> progress,
        Map<String, Object> config) {
    private static final String VERSION = "version";

    /** Raised when a reader of the older form could misread the newer. */
    private static final long FORMAT = 1;

    public TrainingState {
        random = Collections.unmodifiableMap(new LinkedHashMap<>(random));
        schedule = Collections.unmodifiableMap(new LinkedHashMap<>(schedule));
        data = Collections.unmodifiableMap(new LinkedHashMap<>(data));
        progress = Collections.unmodifiableMap(new LinkedHashMap<>(progress));
        config = Collections.unmodifiableMap(new LinkedHashMap<>(config));
    }

    String toJson() {
        var map = new LinkedHashMap<String, Object>();
        map.put(VERSION, FORMAT);
        map.put("epoch", epoch);
        map.put("step", step);
        map.put("batch", batch);
        map.put("seed", seed);
        map.put("random", random);
        map.put("schedule", schedule);
        map.put("data", data);
        map.put("progress", progress);
        map.put("config", config);
        return Json.write(map);
    }

    static TrainingState fromJson(String json) throws IOException {
        Map<String, Object> map = Json.parseObject(json);
        long version = whole(map, VERSION);
        if (version != FORMAT) {
            throw new IOException("its format is " + version + " and this Kingfisher reads " + FORMAT);
        }
        var random = new LinkedHashMap<String, Long>();
        Map<String, Object> generators = object(map, "random");
        for (String name : generators.keySet()) {
            random.put(name, whole(generators, name));
        }
        return new TrainingState(
                (int) whole(map, "epoch"),
                whole(map, "step"),
                whole(map, "batch"),
                whole(map, "seed"),
                random,
                object(map, "schedule"),
                object(map, "data"),
                object(map, "progress"),
                object(map, "config"));
    }

    private static long whole(Map<String, Object> map, String key) throws IOException {
        if (map.get(key) instanceof Long value) {
            return value;
        }
        throw new IOException("'" + key + "' is not a whole number");
    }

    private static Map<String, Object> object(Map<String, Object> map, String key) throws IOException {
        if (map.get(key) == null) {
            throw new IOException("'" + key + "' is missing");
        }
        return Json.object(map.get(key));
    }
}
