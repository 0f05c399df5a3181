package io.kingfisher.train;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.train.json.Json;
import io.kingfisher.train.report.Scores;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;

/** The sums over the batches of an epoch or an evaluation. */
final class Tally {
    private double loss, count, top1, top5, error, targets;

    void add(Pipeline.Result result) {
        loss += result.loss();
        count += result.count();
        top1 += result.top1();
        top5 += result.top5();
        error += result.error();
        targets += result.targets();
    }

    /** The mean loss so far; NaN before the first batch. */
    double meanLoss() {
        return loss / count;
    }

    /** The share of right first guesses so far. */
    double accuracy() {
        return top1 / targets;
    }

    /** The scores; {@code counted} says whether right guesses were counted. */
    Scores scores(Task task, boolean counted) {
        boolean ranked = counted && !task.reconstruction();
        OptionalDouble first = ranked ? OptionalDouble.of(accuracy()) : OptionalDouble.empty();
        OptionalDouble fifth = ranked && task.topFive() ? OptionalDouble.of(top5 / targets) : OptionalDouble.empty();
        OptionalDouble perplexity = task.language() ? OptionalDouble.of(Math.exp(meanLoss())) : OptionalDouble.empty();
        OptionalDouble squared = task.reconstruction() ? OptionalDouble.of(error / targets) : OptionalDouble.empty();
        return new Scores(meanLoss(), first, fifth, perplexity, squared);
    }

    Map<String, Object> toMap() {
        var map = new LinkedHashMap<String, Object>();
        map.put("loss", loss);
        map.put("count", count);
        map.put("top1", top1);
        map.put("top5", top5);
        map.put("error", error);
        map.put("targets", targets);
        return map;
    }

    static Tally of(Object saved) {
        Tally tally = new Tally();
        try {
            Map<String, Object> map = Json.object(saved);
            tally.loss = Json.real(map.get("loss"));
            tally.count = Json.real(map.get("count"));
            tally.top1 = Json.real(map.get("top1"));
            tally.top5 = Json.real(map.get("top5"));
            tally.error = Json.real(map.getOrDefault("error", 0.0));
            tally.targets = Json.real(map.get("targets"));
        } catch (IOException e) {
            throw new KingfisherException(
                    "The checkpoint's sums of its epoch cannot be read: " + e.getMessage() + ".", e);
        }
        return tally;
    }
}
