package io.kingfisher.train.methods;

import static io.kingfisher.train.config.ValueType.atLeast;
import static io.kingfisher.train.config.ValueType.choice;
import static io.kingfisher.train.config.ValueType.decay;
import static io.kingfisher.train.config.ValueType.nonNegative;
import static io.kingfisher.train.config.ValueType.positive;

import io.kingfisher.optimizers.AdaFisher;
import io.kingfisher.optimizers.AdaFisherConfig;
import io.kingfisher.train.config.OptimizerSchema;
import io.kingfisher.train.config.Option;
import io.kingfisher.train.config.OptionSchema;
import io.kingfisher.train.config.Options;
import io.kingfisher.train.config.ValueType;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** AdaFisher and AdaFisherW. */
final class AdaFisherMethods {
    private static final OptionSchema SCHEMA = OptionSchema.of(
            "AdaFisher",
            Option.of("beta", decay(), 0.9, "decay of the mean of gradients"),
            Option.of("Lambda", positive(), 1e-3, "damping added to the Fisher diagonal")
                    .orNamed("damping"),
            Option.of(
                            "gamma",
                            new ValueType.Real(0, true, 1, false),
                            0.8,
                            "weight of the running averages of the factors")
                    .orNamed("gammas"),
            Option.of(
                    "TCov",
                    new ValueType.WordOr("auto", atLeast(1)),
                    "auto",
                    "steps between refreshes of the factors; auto: 100, or 10 in mode relative"),
            Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights"),
            Option.of("mode", choice("released", "paper", "relative"), "released", "the variant of the update"),
            Option.of("tau", positive(), 0.1, "relative: damping as a fraction of a layer's mean curvature"),
            Option.of("power", new ValueType.Real(0, true, 1, false), 0.5, "relative: power of the curvature"),
            Option.of(
                    "cap",
                    new ValueType.Real(1, false, Double.POSITIVE_INFINITY, true),
                    10.0,
                    "relative: the largest ratio of a step to the layer's mean step"),
            Option.of("decay", decay(), 0.95, "relative: decay of the factors' running averages"),
            Option.of(
                    "unmatched",
                    choice("lambda", "one"),
                    "lambda",
                    "the Fisher diagonal of parameters without a curvature rule: Lambda, or 1"),
            CommonOptions.DIST);

    /** In mode relative a learning rate is one of plain SGD: with a momentum of 0.9 ten times what SGD with it takes. */
    private static final Map<String, Double> RATES = Map.of("relative", 0.3);

    private AdaFisherMethods() {}

    static List<Method> all() {
        return List.of(
                method(SCHEMA, "AdaFisher: Adam on the diagonals of Kronecker factors", false),
                method(SCHEMA.with("AdaFisherW"), "AdaFisher with decoupled weight decay", true));
    }

    private static Method method(OptionSchema schema, String title, boolean decoupled) {
        return new Method(
                new OptimizerSchema(schema, 1e-3, RATES),
                new Method.Facts(
                        title,
                        "Martins Gomes et al., 2025",
                        "one pass over P; sums of squares at refreshes",
                        "P + i + o"),
                (device, groups, o, clipping) -> new AdaFisher(device, groups, config(o, decoupled), clipping));
    }

    private static AdaFisherConfig config(Options o, boolean decoupled) {
        var mode = AdaFisherConfig.Mode.valueOf(o.text("mode").toUpperCase(Locale.ROOT));
        AdaFisherConfig usual = AdaFisherConfig.of(mode);
        return new AdaFisherConfig(
                mode,
                o.real("beta"),
                o.real("Lambda"),
                o.real("gamma"),
                o.whole("TCov", usual.refreshInterval()),
                decoupled,
                AdaFisherConfig.Unmatched.valueOf(o.text("unmatched").toUpperCase(Locale.ROOT)),
                o.real("tau", usual.tau()),
                o.real("power", usual.power()),
                o.real("cap", usual.cap()),
                o.real("decay", usual.decay()));
    }
}
