package io.kingfisher.train.config;

import static io.kingfisher.train.config.ValueType.atLeast;
import static io.kingfisher.train.config.ValueType.choice;
import static io.kingfisher.train.config.ValueType.fraction;
import static io.kingfisher.train.config.ValueType.nonNegative;
import static io.kingfisher.train.config.ValueType.positive;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The learning-rate schedules a configuration can name, with PyTorch's names and defaults, and the keys of {@code
 * scheduler_kwargs} of each.
 */
public final class SchedulerSchemas {
    private static final String NONE = "None";

    private SchedulerSchemas() {}

    /** Every schedule by its name. */
    public static Map<String, OptionSchema> all() {
        var schemas = new LinkedHashMap<String, OptionSchema>();
        for (OptionSchema schema : List.of(
                schedule(NONE, "epoch"),
                schedule(
                        "StepLR",
                        "epoch",
                        Option.required("step_size", atLeast(1), "epochs between two decays"),
                        Option.of("gamma", positive(), 0.1, "factor of each decay")),
                schedule(
                        "MultiStepLR",
                        "epoch",
                        Option.required(
                                "milestones",
                                new ValueType.ListOf(atLeast(1), 1, 1000),
                                "epochs after which the rate decays"),
                        Option.of("gamma", positive(), 0.1, "factor of each decay")),
                schedule(
                        "CosineAnnealingLR",
                        "epoch",
                        Option.of("T_max", auto(atLeast(1)), "auto", "length of the half cosine; auto: the whole run"),
                        Option.of("eta_min", nonNegative(), 0.0, "the last learning rate")),
                schedule(
                        "CosineAnnealingWarmRestarts",
                        "epoch",
                        Option.required("T_0", atLeast(1), "length of the first cycle"),
                        Option.of("T_mult", atLeast(1), 1L, "factor from a cycle's length to the next"),
                        Option.of("eta_min", nonNegative(), 0.0, "the last learning rate of a cycle")),
                schedule(
                        "OneCycleLR",
                        "step",
                        Option.of("max_lr", auto(positive()), "auto", "the peak; auto: init_lr"),
                        Option.of("total_steps", auto(atLeast(1)), "auto", "length; auto: the whole run"),
                        Option.unset("epochs", atLeast(1), "with steps_per_epoch: another way to give total_steps"),
                        Option.unset("steps_per_epoch", atLeast(1), "with epochs"),
                        Option.of("pct_start", fraction(), 0.3, "share of the cycle spent rising"),
                        Option.of("anneal_strategy", choice("cos", "linear"), "cos", "shape of the two slopes"),
                        Option.of("div_factor", positive(), 25.0, "max_lr / first learning rate"),
                        Option.of("final_div_factor", positive(), 1e4, "first / last learning rate"),
                        Option.of("three_phase", new ValueType.OnlyFalse(), false, "a third phase"),
                        Option.of("cycle_momentum", new ValueType.OnlyFalse(), false, "momentum against the rate")),
                schedule(
                        "LinearLR",
                        "epoch",
                        Option.of(
                                "start_factor", new ValueType.Real(0, true, 1, false), 1.0 / 3, "factor at the start"),
                        Option.of("end_factor", fraction(), 1.0, "factor at the end"),
                        Option.of("total_iters", auto(atLeast(1)), 5L, "length; auto: the whole run")))) {
            schemas.put(schema.name(), schema);
        }
        return schemas;
    }

    private static OptionSchema schedule(String name, String interval, Option... options) {
        return OptionSchema.of(name, options)
                .with(
                        name,
                        Option.of(
                                "interval",
                                choice("epoch", "step"),
                                interval,
                                "what the lengths count, and when the rate changes"),
                        Option.ignored("verbose", new ValueType.Bool(), "no effect"),
                        Option.ignored("last_epoch", new ValueType.Whole(-1, -1), "no effect"));
    }

    private static ValueType auto(ValueType type) {
        return new ValueType.WordOr("auto", type);
    }
}
