package io.kingfisher.train.report;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One line of {@code metrics.jsonl} for some of the steps.
 *
 * @param step steps of the run so far
 * @param epoch epochs so far, with the fraction of the one in progress
 * @param loss the batch's loss
 * @param learningRate of the step
 */
public record StepRecord(long step, double epoch, double loss, double learningRate) {
    /** The record's JSON object. */
    public Map<String, Object> toMap() {
        var map = new LinkedHashMap<String, Object>();
        map.put("kind", "step");
        map.put("step", step);
        map.put("epoch", epoch);
        map.put("loss", loss);
        map.put("lr", learningRate);
        return map;
    }
}
