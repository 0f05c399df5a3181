package io.kingfisher.train.methods;

import static io.kingfisher.train.config.ValueType.choice;

import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.train.config.Option;
import io.kingfisher.train.config.Options;
import io.kingfisher.train.config.ValueType;

/** Settings that several methods have. */
final class CommonOptions {
    /** Accepted in the files of others. */
    static final Option DIST =
            Option.ignored("dist", new ValueType.Bool(), "no effect: one process trains on one device");

    private CommonOptions() {}

    /** Whose gradients curvature is made of. */
    static Option labels(String fallback) {
        return Option.of(
                "labels",
                choice("sampled", "empirical", "exact", "curvature_propagation"),
                fallback,
                "whose gradients the curvature is made of: labels drawn from the model, the data's, all of them, or"
                        + " random signs of all");
    }

    /** What {@link #labels} says. */
    static LabelSource labels(Options o) {
        return switch (o.text("labels")) {
            case "sampled" -> new LabelSource.MonteCarlo(1);
            case "empirical" -> new LabelSource.Empirical();
            case "exact" -> new LabelSource.Exact();
            default -> new LabelSource.CurvatureProp(1);
        };
    }
}
