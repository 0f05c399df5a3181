package io.kingfisher.train.config;

import static io.kingfisher.train.config.ValueType.fraction;
import static io.kingfisher.train.config.ValueType.nonNegative;
import static io.kingfisher.train.config.ValueType.positive;

import io.kingfisher.train.config.ComparePlan.Budget;
import io.kingfisher.train.config.ComparePlan.Target;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;

/**
 * Reads plans: {@code task} is a configuration without an optimizer, {@code methods} the optimizers by the names that the report
 * gives them, each with the keys in which its configuration differs from the task's. Immutable.
 */
public final class ComparePlanReader {
    private static final OptionSchema PLAN = OptionSchema.of(
            "a plan",
            Option.unset("title", new ValueType.Text(), "the heading of the report"),
            Option.of(
                    "seeds",
                    new ValueType.ListOf(new ValueType.Whole(0, Long.MAX_VALUE), 1, 100),
                    List.of(1L, 2L, 3L),
                    "a run of every method for each"),
            Option.of("points", new ValueType.Whole(1, 1000), 10L, "evaluations of a run"),
            Option.of("warmup_seconds", nonNegative(), 1.0, "uncounted steps before each run"));

    private static final OptionSchema BUDGET = OptionSchema.of(
            "budget",
            Option.unset("seconds", positive(), "seconds of training steps of each run"),
            Option.unset("epochs", positive(), "passes over the training data, also parts of one"));

    private static final OptionSchema TARGET = OptionSchema.of(
            "target",
            Option.unset("test_top1", fraction(), "a share of right answers").orNamed("test_accuracy"),
            Option.unset("test_loss", positive(), "a loss on the test data"),
            Option.unset("train_loss", positive(), "a loss on the training data"),
            Option.unset("test_perplexity", positive(), "a perplexity on the test data"),
            Option.unset("test_reconstruction_error", positive(), "a squared error of an image on the test data"));

    private static final String TASK = "task", METHODS = "methods";

    /** What the plan says for all. */
    private static final List<String> PLANNED = List.of("seed", "n_trials", "max_epochs", "max_steps", "save_freq");

    /** In what methods may differ. */
    private static final List<String> OWN = List.of(
            "optimizer",
            "mode",
            "init_lr",
            FileSchema.OPTIMIZER_KWARGS,
            "scheduler",
            FileSchema.SCHEDULER_KWARGS,
            "warmup",
            "clip",
            "mini_batch_size",
            "precision");

    private final ConfigReader reader;

    public ComparePlanReader(ConfigReader reader) {
        this.reader = reader;
    }

    /**
     * Reads a plan.
     *
     * @param overrides settings of the command line, such as {@code budget.seconds} or {@code task.data}
     * @throws io.kingfisher.runtime.KingfisherException for anything that is wrong with it, as {@link ConfigReader#load}
     */
    public ComparePlan load(Path file, List<Setting> overrides) {
        YamlNode.Mapping root = YamlReader.readFile(file);
        for (Setting override : overrides) {
            root = Overrides.apply(root, override);
        }
        return read(root, file.toString());
    }

    private ComparePlan read(YamlNode.Mapping root, String file) {
        var source = new Source(file, Overrides.locations(root));
        List<String> known = new ArrayList<>(PLAN.names());
        known.addAll(List.of(BUDGET.name(), TARGET.name(), TASK, METHODS));
        var plain = new LinkedHashMap<String, YamlNode.Entry>();
        root.entries().forEach((key, entry) -> {
            if (!known.contains(key)) {
                throw source.unknownName(key, key, known);
            }
            if (PLAN.knows(key)) {
                plain.put(key, entry);
            }
        });
        Options plan = PLAN.check(new YamlNode.Mapping(plain, root.location()), "", source);
        var task = map(root, TASK, source);
        refuse(task, TASK + ".", source, PLANNED, "is the plan's: give seeds and budget instead");
        List<ComparePlan.Entry> entries = new ArrayList<>();
        map(root, METHODS, source).entries().forEach((label, entry) -> {
            if (!(entry.value() instanceof YamlNode.Mapping own)) {
                throw source.error(METHODS + "." + label, "expected a map of keys such as init_lr.");
            }
            entries.add(new ComparePlan.Entry(label, config(task, label, entry.location(), own, file, source)));
        });
        if (entries.isEmpty()) {
            throw source.error(METHODS, "is empty; give at least one, such as 'SGD: {init_lr: 0.1}'.");
        }
        return new ComparePlan(
                plan.textIfSet("title").orElse(file),
                budget(root, source),
                plan.integer("points"),
                plan.real("warmup_seconds"),
                plan.wholes("seeds").stream().distinct().toList(),
                target(root, source),
                entries,
                source);
    }

    private RunConfig config(
            YamlNode.Mapping task, String label, Location place, YamlNode.Mapping own, String file, Source source) {
        own.entries().keySet().forEach(key -> {
            if (!OWN.contains(key)) {
                throw source.error(
                        METHODS + "." + label + "." + key,
                        "is not a key in which methods may differ; those are " + String.join(", ", OWN) + ".");
            }
        });
        var merged = new LinkedHashMap<>(task.entries());
        merged.putAll(own.entries());
        // A method that is called as its optimizer need not say so twice.
        merged.computeIfAbsent("optimizer", _ -> new YamlNode.Entry(place, new YamlNode.Scalar(label, false, place)));
        return reader.read(new YamlNode.Mapping(merged, task.location()), file, List.of());
    }

    private static Budget budget(YamlNode.Mapping root, Source source) {
        Options given = BUDGET.check(map(root, BUDGET.name(), source), BUDGET.name() + ".", source);
        if (given.has("seconds") == given.has("epochs")) {
            throw source.error(BUDGET.name(), "give either seconds or epochs.");
        }
        return given.has("seconds")
                ? new Budget(Budget.Unit.SECONDS, given.real("seconds"))
                : new Budget(Budget.Unit.EPOCHS, given.real("epochs"));
    }

    private static Optional<Target> target(YamlNode.Mapping root, Source source) {
        if (!root.entries().containsKey(TARGET.name())) {
            return Optional.empty();
        }
        Options given = TARGET.check(map(root, TARGET.name(), source), TARGET.name() + ".", source);
        List<Target> targets = TARGET.names().stream()
                .filter(given::has)
                .map(name -> new Target(name, given.real(name)))
                .toList();
        if (targets.size() != 1) {
            throw source.error(TARGET.name(), "give one of " + String.join(", ", TARGET.names()) + ".");
        }
        return Optional.of(targets.getFirst());
    }

    private static void refuse(YamlNode.Mapping map, String prefix, Source source, List<String> keys, String why) {
        for (String key : keys) {
            if (map.entries().containsKey(key)) {
                throw source.error(prefix + key, why + ".");
            }
        }
    }

    private static YamlNode.Mapping map(YamlNode.Mapping root, String key, Source source) {
        var entry = root.entries().get(key);
        if (entry == null) {
            throw source.error(key, "is missing; a plan has " + BUDGET.name() + ", " + TASK + " and " + METHODS + ".");
        }
        if (!(entry.value() instanceof YamlNode.Mapping mapping)) {
            throw source.error(
                    key, "expected a map of keys, found " + entry.value().found() + ".");
        }
        return mapping;
    }
}
