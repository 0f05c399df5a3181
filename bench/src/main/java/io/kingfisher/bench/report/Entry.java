package io.kingfisher.bench.report;

import io.kingfisher.bench.report.Duel.What;
import io.kingfisher.bench.step.StepEngine.Refresh;
import io.kingfisher.bench.step.StepEngine.Rule;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Something to measure.
 *
 * @param engine see {@link io.kingfisher.bench.step.Engines}
 */
record Entry(What what, String engine, String model, Rule rule, Refresh refresh, int threads) {
    static Entry step(String engine, String model, Rule rule, Refresh refresh, int threads) {
        return new Entry(What.STEP, engine, model, rule, refresh, threads);
    }

    /** The arguments of {@link Duel} but for the seconds. */
    List<String> arguments() {
        return List.of(what.name(), engine, model, rule.name(), refresh.name(), Integer.toString(threads));
    }

    /** What a record of figures begins with. */
    Map<String, Object> record() {
        var record = new LinkedHashMap<String, Object>();
        record.put("what", what.name());
        record.put("engine", engine);
        record.put("model", model);
        record.put("optimizer", rule.name());
        record.put("refresh", refresh.name());
        record.put("threads", (long) threads);
        return record;
    }

    /** What a record of figures is of. */
    static Entry of(Map<String, Object> record) {
        return new Entry(
                What.valueOf((String) record.get("what")),
                (String) record.get("engine"),
                (String) record.get("model"),
                Rule.valueOf((String) record.get("optimizer")),
                Refresh.valueOf((String) record.get("refresh")),
                ((Number) record.get("threads")).intValue());
    }
}
