package io.kingfisher.train.config;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Reads configurations: file, then overrides, then schemas, then records. Immutable. */
public final class ConfigReader {
    private static final Map<String, OptionSchema> SECTIONS = sections();

    private final Map<String, OptimizerSchema> optimizers;
    private final Map<String, OptionSchema> schedulers;

    /** A reader that knows these optimizers, by name, and the built-in schedules. */
    public ConfigReader(Map<String, OptimizerSchema> optimizers) {
        this(optimizers, SchedulerSchemas.all());
    }

    private ConfigReader(Map<String, OptimizerSchema> optimizers, Map<String, OptionSchema> schedulers) {
        this.optimizers = Collections.unmodifiableMap(optimizers);
        this.schedulers = Collections.unmodifiableMap(schedulers);
    }

    private static Map<String, OptionSchema> sections() {
        var sections = new LinkedHashMap<String, OptionSchema>();
        for (OptionSchema section : List.of(FileSchema.MODEL, FileSchema.TEXTS, FileSchema.CLIP, FileSchema.WARMUP)) {
            sections.put(section.name(), section);
        }
        return Collections.unmodifiableMap(sections);
    }

    /** The same reader, with one more optimizer (or another definition of one it knows). */
    public ConfigReader withOptimizer(OptimizerSchema schema) {
        var more = new LinkedHashMap<>(optimizers);
        more.put(schema.name(), schema);
        return new ConfigReader(more, schedulers);
    }

    /**
     * Reads a configuration file.
     *
     * @param file a YAML file in UTF-8
     * @param overrides settings of the command line, later ones winning
     * @throws io.kingfisher.runtime.KingfisherException for anything that is wrong with either, naming the file, the
     *     line, the key, what was expected and the nearest valid name
     */
    public RunConfig load(Path file, List<Setting> overrides) {
        return read(YamlReader.readFile(file), file.toString(), overrides);
    }

    /** Reads a configuration from text; {@code origin} stands for the file's path in messages. */
    public RunConfig parse(String yaml, String origin, List<Setting> overrides) {
        return read(YamlReader.readMapping(yaml, origin), origin, overrides);
    }

    /** Every key with what it may be, its default and what it does, for {@code --help}. */
    public String help() {
        var text = new StringBuilder("Keys of a configuration file:%n".formatted());
        text.append(FileSchema.TOP.help());
        SECTIONS.forEach(
                (name, section) -> text.append("Keys of %s:%n".formatted(name)).append(section.help()));
        optimizers
                .values()
                .forEach(schema -> text.append("Keys of optimizer_kwargs for %s:%n".formatted(schema.name()))
                        .append(schema.options().help()));
        schedulers
                .values()
                .forEach(schema -> text.append("Keys of scheduler_kwargs for %s:%n".formatted(schema.name()))
                        .append(schema.help()));
        return text.toString();
    }

    /** Reads a tree that may have been put together from several places of a file. */
    RunConfig read(YamlNode.Mapping given, String file, List<Setting> overrides) {
        YamlNode.Mapping root = given;
        for (Setting override : overrides) {
            root = Overrides.apply(root, override);
        }
        var source = new Source(file, Overrides.locations(root));
        return new Sections(root, source, given).build();
    }

    /** One reading: the tree, the place of each key, and what there is to say about it. */
    private final class Sections {
        private final YamlNode.Mapping root;
        private final Source source;
        private final YamlNode.Mapping beforeOverrides;
        private final List<String> notes = new ArrayList<>();
        private final Map<String, Object> settings = new LinkedHashMap<>();

        Sections(YamlNode.Mapping root, Source source, YamlNode.Mapping beforeOverrides) {
            this.root = root;
            this.source = source;
            this.beforeOverrides = beforeOverrides;
        }

        RunConfig build() {
            Options top = FileSchema.TOP.check(plainKeys(), "", source);
            settings.putAll(top.values());
            OptimizerConfig optimizer = optimizer(top);
            SchedulerConfig scheduler = scheduler(top);
            var model = new ModelConfig(top.text("network"), section(FileSchema.MODEL));
            return new RunConfig(
                    data(top),
                    model,
                    optimizer,
                    scheduler,
                    training(top),
                    Collections.unmodifiableMap(settings),
                    source,
                    notes);
        }

        /** The file's keys that are not maps of their own, after checking that every key is known. */
        private YamlNode.Mapping plainKeys() {
            var known = new ArrayList<>(FileSchema.TOP.names());
            known.addAll(SECTIONS.keySet());
            known.add(FileSchema.OPTIMIZER_KWARGS);
            known.add(FileSchema.SCHEDULER_KWARGS);
            var plain = new LinkedHashMap<String, YamlNode.Entry>();
            root.entries().forEach((key, entry) -> {
                if (!known.contains(key)) {
                    throw source.unknownName(key, key, known);
                }
                if (FileSchema.TOP.knows(key)) {
                    plain.put(key, entry);
                }
            });
            return new YamlNode.Mapping(plain, root.location());
        }

        private YamlNode.Mapping map(String key) {
            var entry = root.entries().get(key);
            if (entry == null) {
                return YamlNode.Mapping.empty(root.location());
            }
            return switch (entry.value()) {
                case YamlNode.Mapping mapping -> mapping;
                case YamlNode.Scalar scalar when scalar.isNull() -> YamlNode.Mapping.empty(scalar.location());
                case YamlNode other -> throw source.error(key, "expected a map of keys, found " + other.found() + ".");
            };
        }

        private Options section(OptionSchema schema) {
            Options options = schema.check(map(schema.name()), schema.name() + ".", source);
            settings.put(schema.name(), options.values());
            return options;
        }

        private OptimizerConfig optimizer(Options top) {
            OptimizerSchema schema = named("optimizer", top.text("optimizer"), optimizers);
            String key = FileSchema.OPTIMIZER_KWARGS;
            var kwargs = leaveOutOthers(key, "optimizer", map(key), schema.options(), optimizerOptions());
            kwargs = Betas.split(kwargs, schema.options(), source);
            kwargs = withMode(kwargs, schema.options());
            Options options = schema.options().check(kwargs, key + ".", source);
            double rate = top.real("init_lr", schema.learningRate(options));
            settings.remove("mode");
            settings.put("optimizer", schema.name());
            settings.put("init_lr", rate);
            settings.put(key, options.values());
            Options clip = section(FileSchema.CLIP);
            return new OptimizerConfig(schema.name(), rate, options, real(clip, "norm"), real(clip, "value"));
        }

        private Collection<OptionSchema> optimizerOptions() {
            return optimizers.values().stream().map(OptimizerSchema::options).toList();
        }

        /** The file's own key {@code mode} is the optimizer's setting of that name. */
        private YamlNode.Mapping withMode(YamlNode.Mapping kwargs, OptionSchema schema) {
            var mode = root.entries().get("mode");
            if (mode == null) {
                return kwargs;
            }
            if (!schema.knows("mode")) {
                if (beforeOverrides.entries().get("mode") == mode && overridden("optimizer")) {
                    notes.add(source.locate("mode") + ": mode is left out: " + schema.name() + " has none.");
                    return kwargs;
                }
                throw source.error("mode", schema.name() + " has no modes; only AdaFisher and AdaFisherW do.");
            }
            if (kwargs.entries().containsKey("mode")) {
                throw source.error("mode", "is also given in optimizer_kwargs; keep one of them.");
            }
            var entries = new LinkedHashMap<>(kwargs.entries());
            entries.put("mode", mode);
            return new YamlNode.Mapping(entries, kwargs.location());
        }

        private SchedulerConfig scheduler(Options top) {
            OptionSchema schema = OptionSchema.named(top.text("scheduler"), schedulers)
                    .orElseThrow(() -> source.unknownName("scheduler", top.text("scheduler"), schedulers.keySet()));
            String key = FileSchema.SCHEDULER_KWARGS;
            var kwargs = leaveOutOthers(key, "scheduler", map(key), schema, schedulers.values());
            Options options = schema.check(kwargs, key + ".", source);
            settings.put("scheduler", schema.name());
            settings.put(key, options.values());
            Options warmup = section(FileSchema.WARMUP);
            if (warmup.has("steps") && warmup.has("epochs")) {
                throw source.error("warmup.epochs", "is given beside warmup.steps; keep one of them.");
            }
            return new SchedulerConfig(
                    schema.name(),
                    options.text("interval").equals("step"),
                    options,
                    new SchedulerConfig.Warmup(
                            whole(warmup, "steps"), real(warmup, "epochs"), warmup.real("start_factor")));
        }

        /**
         * Where the command line replaces the optimizer (or schedule) of a file, the file's settings for the old one are
         * left out with a note; where the file itself has them beside the wrong name, the schema's check reports them.
         */
        private YamlNode.Mapping leaveOutOthers(
                String section,
                String chooser,
                YamlNode.Mapping kwargs,
                OptionSchema chosen,
                Collection<OptionSchema> all) {
            if (!overridden(chooser)) {
                return kwargs;
            }
            var kept = new LinkedHashMap<>(kwargs.entries());
            kwargs.entries().forEach((key, entry) -> {
                boolean fromFile = entry.location().line() > 0;
                boolean others = key.equals("betas") ? !chosen.knows("beta1") : !chosen.knows(key);
                if (fromFile && others && (key.equals("betas") || all.stream().anyMatch(s -> s.knows(key)))) {
                    kept.remove(key);
                    notes.add(entry.location() + ": " + section + "." + key + " is left out: " + chosen.name() + " ("
                            + source.locate(chooser) + ") has no such key.");
                }
            });
            return new YamlNode.Mapping(kept, kwargs.location());
        }

        private boolean overridden(String key) {
            var before = beforeOverrides.entries().get(key);
            return root.entries().get(key) != before;
        }

        private <T> T named(String key, String name, Map<String, T> schemas) {
            return schemas.entrySet().stream()
                    .filter(entry -> entry.getKey().equalsIgnoreCase(name))
                    .map(Map.Entry::getValue)
                    .findFirst()
                    .orElseThrow(() -> source.unknownName(key, name, schemas.keySet()));
        }

        private DataConfig data(Options top) {
            Options text = section(FileSchema.TEXTS);
            boolean cutout = top.flag("cutout");
            return new DataConfig(
                    top.text("dataset"),
                    top.textIfSet("data").map(this::path),
                    top.integer("mini_batch_size"),
                    top.flag("shuffle"),
                    top.flag("aug"),
                    new DataConfig.Cutout(cutout ? top.integer("n_holes") : 0, top.integer("cutout_length")),
                    integer(top, "image_size"),
                    integer(top, "train_size"),
                    integer(top, "test_size"),
                    integer(top, "num_workers"),
                    new DataConfig.Text(
                            text.text("tokenizer"),
                            text.integer("context"),
                            text.real("split"),
                            integer(text, "vocabulary")));
        }

        private Path path(String text) {
            try {
                return Path.of(text);
            } catch (InvalidPathException e) {
                throw source.error("data", "is not a path: " + e.getReason() + ".");
            }
        }

        private TrainingConfig training(Options top) {
            double threshold = top.real("early_stop_threshold");
            return new TrainingConfig(
                    top.text("loss"),
                    top.real("label_smoothing"),
                    top.integer("max_epochs"),
                    whole(top, "max_steps"),
                    top.integer("n_trials"),
                    top.whole("seed"),
                    threshold < 0 ? OptionalDouble.empty() : OptionalDouble.of(threshold),
                    top.integer("early_stop_patience"),
                    top.integer("save_freq"),
                    top.text("precision"),
                    top.text("device"),
                    integer(top, "threads"),
                    top.flag("winograd"),
                    top.flag("deterministic"));
        }

        private static OptionalDouble real(Options options, String key) {
            return options.has(key) ? OptionalDouble.of(options.real(key)) : OptionalDouble.empty();
        }

        private static OptionalLong whole(Options options, String key) {
            return options.has(key) ? OptionalLong.of(options.whole(key)) : OptionalLong.empty();
        }

        private static OptionalInt integer(Options options, String key) {
            return options.has(key) && !options.isAuto(key)
                    ? OptionalInt.of(options.integer(key))
                    : OptionalInt.empty();
        }
    }
}
