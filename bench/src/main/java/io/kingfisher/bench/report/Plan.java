package io.kingfisher.bench.report;

import io.kingfisher.bench.report.Duel.What;
import io.kingfisher.bench.step.Engines;
import io.kingfisher.bench.step.StepEngine.Refresh;
import io.kingfisher.bench.step.StepEngine.Rule;
import java.util.ArrayList;
import java.util.List;

/** What a round measures, one after the other. */
final class Plan {
    /** Whose parameters are those of the update alone: 11.2 million. */
    static final String UPDATED = "resnet18-cifar";

    /** What a process starts with in the measurement of cold starts. */
    static final String COLD = "lenet";

    private Plan() {}

    /**
     * A round over a model.
     *
     * @param mkl whether libtorch's products run on MKL too
     * @param quick whether libtorch's usual setting will do
     */
    static List<Entry> round(String model, int threads, boolean mkl, boolean quick) {
        List<Entry> entries = new ArrayList<>();
        for (int count : quick || threads == 1 ? new int[] {threads} : new int[] {threads, 1}) {
            entries.add(Entry.step(Engines.OURS, model, Rule.SGD, Refresh.SCHEDULED, count));
            for (String engine : quick ? List.of(Engines.LIBTORCH) : libtorch(model, mkl)) {
                // The threads that matter are all of them: for one, fused updates and the rest make no difference.
                if (count == threads || !engine.contains("fused")) {
                    entries.add(Entry.step(engine, model, Rule.SGD, Refresh.SCHEDULED, count));
                }
            }
        }
        entries.add(Entry.step(Engines.OURS, model, Rule.ADAMW, Refresh.SCHEDULED, threads));
        entries.add(Entry.step(Engines.OURS, model, Rule.ADAFISHER, Refresh.NEVER, threads));
        entries.add(Entry.step(Engines.OURS, model, Rule.ADAFISHER, Refresh.ALWAYS, threads));
        String fused = Engines.LIBTORCH + (mkl ? "+mkl+fused" : "+fused"), plain = fused.replace("+fused", "");
        entries.add(Entry.step(fused, model, Rule.ADAMW, Refresh.SCHEDULED, threads));
        entries.add(Entry.step(plain, model, Rule.ADAFISHER, Refresh.NEVER, threads));
        if (!quick) {
            entries.add(Entry.step(plain, model, Rule.ADAFISHER, Refresh.ALWAYS, threads));
        }
        return entries;
    }

    private static List<String> libtorch(String model, boolean mkl) {
        List<String> engines = new ArrayList<>();
        for (String blas : mkl ? List.of("", "+mkl") : List.of("")) {
            for (String layout : model.contains("net") ? List.of("", "+channels-last") : List.of("")) {
                engines.add(Engines.LIBTORCH + blas + layout);
                engines.add(Engines.LIBTORCH + blas + layout + "+fused");
            }
        }
        return engines;
    }

    /** The updates alone beside a copy, and cold starts. */
    static List<Entry> singles(int threads) {
        List<Entry> entries = new ArrayList<>();
        entries.add(new Entry(What.COPY, Engines.OURS, UPDATED, Rule.SGD, Refresh.NEVER, threads));
        for (Rule rule : Rule.values()) {
            entries.add(new Entry(What.UPDATE, Engines.OURS, UPDATED, rule, Refresh.NEVER, threads));
        }
        for (Rule rule : Rule.values()) {
            String engine = Engines.LIBTORCH + (rule == Rule.ADAFISHER ? "" : "+fused");
            entries.add(new Entry(What.UPDATE, engine, UPDATED, rule, Refresh.NEVER, threads));
        }
        entries.add(new Entry(What.COLD, Engines.OURS, COLD, Rule.SGD, Refresh.SCHEDULED, threads));
        entries.add(new Entry(What.COLD, Engines.LIBTORCH, COLD, Rule.SGD, Refresh.SCHEDULED, threads));
        return entries;
    }

    /** The ops of a model's steps: of SGD's, and where the refresh is measured of a step that refreshes. */
    static List<Entry> rooflines(String model, int threads) {
        List<Entry> entries = new ArrayList<>();
        entries.add(new Entry(What.ROOFLINE, Engines.OURS, model, Rule.SGD, Refresh.NEVER, threads));
        if (model.equals(UPDATED)) {
            entries.add(new Entry(What.ROOFLINE, Engines.OURS, model, Rule.ADAFISHER, Refresh.ALWAYS, threads));
        }
        return entries;
    }
}
