package io.kingfisher.train.config;

import static io.kingfisher.train.config.ValueType.atLeast;
import static io.kingfisher.train.config.ValueType.choice;
import static io.kingfisher.train.config.ValueType.decay;
import static io.kingfisher.train.config.ValueType.fraction;
import static io.kingfisher.train.config.ValueType.nonNegative;
import static io.kingfisher.train.config.ValueType.positive;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The optimizers a configuration can name, and the keys of {@code optimizer_kwargs} of each. To add one, list its schema
 * here (or pass it to {@link ConfigReader#withOptimizer}).
 */
public final class OptimizerSchemas {
    private static final Option DIST =
            Option.ignored("dist", new ValueType.Bool(), "no effect: one process trains on one device");

    private static final Option AMSGRAD =
            Option.of("amsgrad", new ValueType.OnlyFalse(), false, "the running maximum of the second moment");

    private static final OptionSchema ADAM = OptionSchema.of(
            "Adam",
            Option.of("beta1", decay(), 0.9, "decay of the mean of gradients; betas: [b1, b2] sets both"),
            Option.of("beta2", decay(), 0.999, "decay of the mean of squared gradients"),
            Option.of("eps", positive(), 1e-8, "added to the denominator"),
            Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights"),
            AMSGRAD,
            DIST);

    private static final OptionSchema ADA_FISHER = OptionSchema.of(
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
            DIST);

    /** In mode relative a learning rate is one of plain SGD: with a momentum of 0.9 ten times what SGD with it takes. */
    private static final Map<String, Double> ADA_FISHER_RATES = Map.of("relative", 0.3);

    private static final OptionSchema SGD = OptionSchema.of(
            "SGD",
            Option.of("momentum", decay(), 0.0, "share of the last step that is kept"),
            Option.of("nesterov", new ValueType.Bool(), false, "look ahead along the momentum"),
            Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights"),
            Option.of("dampening", fraction(), 0.0, "share of the gradient left out of the momentum"),
            DIST);

    private static final OptionSchema KFAC = OptionSchema.of(
            "KFAC",
            Option.of("damping", positive(), 1e-3, "added to the Fisher matrix of each layer"),
            Option.of(
                    "damping_rule",
                    choice("factored", "exact"),
                    "factored",
                    "its root added to each factor, or all of it to their product"),
            Option.of("factor_decay", decay(), 0.95, "decay of the factors' running averages"),
            Option.of(
                    "labels",
                    choice("sampled", "empirical", "exact", "curvature_propagation"),
                    "sampled",
                    "whose gradients the factors are made of: labels drawn from the model, the data's, all of them, or"
                            + " random signs of all"),
            Option.of("TCov", atLeast(1), 10L, "steps between refreshes of the factors"),
            Option.of("TInv", atLeast(1), 100L, "steps between inversions, at each of which factors are refreshed too"),
            Option.of("kl_clip", positive(), 1e-3, "bound on the squared length of a step in the Fisher norm"),
            Option.of("momentum", decay(), 0.9, "share of the last step that is kept"),
            Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights, as part of the gradient"),
            DIST);

    private OptimizerSchemas() {}

    /** Every optimizer by its name. */
    public static Map<String, OptimizerSchema> all() {
        var schemas = new LinkedHashMap<String, OptimizerSchema>();
        for (OptimizerSchema schema : List.of(
                new OptimizerSchema(SGD, 0.1),
                new OptimizerSchema(ADAM, 1e-3),
                new OptimizerSchema(ADAM.withDefault("AdamW", "weight_decay", 0.01), 1e-3),
                new OptimizerSchema(ADA_FISHER, 1e-3, ADA_FISHER_RATES),
                new OptimizerSchema(ADA_FISHER.with("AdaFisherW"), 1e-3, ADA_FISHER_RATES),
                new OptimizerSchema(KFAC, 0.03))) {
            schemas.put(schema.name(), schema);
        }
        return schemas;
    }

    /** Rewrites {@code betas: [b1, b2]} as the two keys it stands for. */
    static YamlNode.Mapping splitBetas(YamlNode.Mapping kwargs, OptionSchema schema, Source source) {
        var betas = kwargs.entries().get("betas");
        if (betas == null || schema.knows("betas") || !schema.knows("beta1")) {
            return kwargs;
        }
        if (!(betas.value() instanceof YamlNode.Sequence list) || list.items().size() != 2) {
            throw source.error(
                    "optimizer_kwargs.betas",
                    "expected a list of 2 numbers such as [0.9, 0.999], found "
                            + betas.value().found() + ".");
        }
        var entries = new LinkedHashMap<>(kwargs.entries());
        entries.remove("betas");
        var names = new ArrayList<>(List.of("beta1", "beta2"));
        for (int i = 0; i < names.size(); i++) {
            if (entries.put(
                            names.get(i),
                            new YamlNode.Entry(betas.location(), list.items().get(i)))
                    != null) {
                throw source.error("optimizer_kwargs.betas", "sets " + names.get(i) + " too; keep one of them.");
            }
        }
        return new YamlNode.Mapping(entries, kwargs.location());
    }
}
