package io.kingfisher.train.report;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One line of {@code metrics.jsonl} per epoch.
 *
 * @param epoch counted from 1
 * @param step steps of the run so far
 * @param train the mean over the epoch's training batches, as they were seen
 * @param test on the held-out data after the epoch
 * @param learningRate of the epoch's last step
 * @param stepMillisP50 the median time of a step, in ms
 * @param stepMillisP99 the time that 99 of 100 steps stay below, in ms
 * @param seconds of training so far, without evaluation
 */
public record EpochRecord(
        int epoch,
        long step,
        Scores train,
        Scores test,
        double learningRate,
        double stepMillisP50,
        double stepMillisP99,
        double seconds) {
    /** The record's JSON object, with keys such as {@code test_top1}. */
    public Map<String, Object> toMap() {
        var map = new LinkedHashMap<String, Object>();
        map.put("kind", "epoch");
        map.put("epoch", epoch);
        map.put("step", step);
        train.putInto(map, "train");
        test.putInto(map, "test");
        map.put("lr", learningRate);
        map.put("step_ms_p50", stepMillisP50);
        map.put("step_ms_p99", stepMillisP99);
        map.put("seconds", seconds);
        return map;
    }
}
