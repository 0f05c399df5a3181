package io.kingfisher.train.methods;

import static io.kingfisher.train.config.ValueType.atLeast;
import static io.kingfisher.train.config.ValueType.choice;
import static io.kingfisher.train.config.ValueType.decay;
import static io.kingfisher.train.config.ValueType.nonNegative;
import static io.kingfisher.train.config.ValueType.positive;

import io.kingfisher.optimizers.Kfac;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.kronecker.Ekfac;
import io.kingfisher.optimizers.kronecker.Tekfac;
import io.kingfisher.optimizers.kronecker.Tkfac;
import io.kingfisher.optimizers.matrixfree.AdaptiveKfac;
import io.kingfisher.train.config.OptimizerSchema;
import io.kingfisher.train.config.Option;
import io.kingfisher.train.config.OptionSchema;
import io.kingfisher.train.config.Options;
import io.kingfisher.train.config.ValueType;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Methods that take the Fisher block of a layer as a Kronecker product. */
final class KroneckerMethods {
    private static final Option DAMPING =
            Option.of("damping", positive(), 1e-3, "added to the Fisher matrix of each layer");
    private static final Option FACTOR_DECAY =
            Option.of("factor_decay", decay(), 0.95, "decay of the factors' running averages");
    private static final Option T_COV = Option.of("TCov", atLeast(1), 10L, "steps between refreshes of the factors");
    private static final Option T_INV = Option.of(
            "TInv", atLeast(1), 100L, "steps between decompositions, at each of which factors are refreshed too");
    private static final Option KL_CLIP =
            Option.of("kl_clip", positive(), 1e-3, "bound on the squared length of a step in the Fisher norm");
    private static final Option MOMENTUM = Option.of("momentum", decay(), 0.9, "share of the last step that is kept");
    private static final Option WEIGHT_DECAY =
            Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights, as part of the gradient");

    private static final Option DAMPING_RULE = Option.of(
            "damping_rule",
            choice("factored", "exact"),
            "factored",
            "its root added to each factor, or all of it to their product");
    private static final Option MOMENTS = Option.of(
            "moments",
            choice("samples", "places", "gradient"),
            "samples",
            "what second moments in the eigenbasis are of: gradients of samples, those of each of their places, or"
                    + " every step's whole gradient");
    private static final Option MOMENTS_DECAY =
            Option.of("moments_decay", decay(), 0.75, "decay of these moments' running average");

    private static final OptionSchema KFAC = OptionSchema.of(
            "KFAC",
            Option.of(
                    "mode",
                    choice("fixed", "adaptive"),
                    "fixed",
                    "dampings, step and momentum as they are set, or all found by the model of the loss as in the paper"),
            Option.of(
                    "damping",
                    new ValueType.WordOr("auto", positive()),
                    "auto",
                    "added to the Fisher matrix of each layer; auto: 1e-3, or in mode adaptive 150 at first"),
            DAMPING_RULE,
            FACTOR_DECAY,
            CommonOptions.labels("sampled"),
            T_COV,
            T_INV,
            KL_CLIP,
            MOMENTUM,
            WEIGHT_DECAY,
            Option.of("T1", atLeast(1), 5L, "adaptive: steps between changes of the damping"),
            Option.of("T2", atLeast(1), 20L, "adaptive: steps between searches for the damping of the factors"),
            Option.of("T3", atLeast(1), 20L, "adaptive: steps between inversions; statistics are taken in each step"),
            CommonOptions.DIST);

    /** In mode adaptive the step's length is found. */
    private static final Map<String, Double> KFAC_RATES = Map.of("adaptive", 1.0);

    private static final OptionSchema EKFAC = OptionSchema.of(
            "EKFAC",
            DAMPING,
            MOMENTS,
            MOMENTS_DECAY,
            FACTOR_DECAY,
            CommonOptions.labels("empirical"),
            T_COV,
            T_INV,
            KL_CLIP,
            MOMENTUM,
            WEIGHT_DECAY,
            CommonOptions.DIST);

    private static final OptionSchema TKFAC = OptionSchema.of(
            "TKFAC",
            DAMPING,
            Option.of(
                    "damping_rule",
                    choice("plain", "relative"),
                    "plain",
                    "its root added to each factor, or that times the factor's mean eigenvalue"),
            FACTOR_DECAY,
            CommonOptions.labels("empirical"),
            T_COV,
            T_INV,
            KL_CLIP,
            MOMENTUM,
            WEIGHT_DECAY,
            CommonOptions.DIST);

    private static final OptionSchema TEKFAC = OptionSchema.of(
            "TEKFAC",
            DAMPING,
            Option.of(
                    "damping_rule",
                    choice("plain", "relative"),
                    "plain",
                    "added to the second moments as it is, or times their mean in the layer"),
            MOMENTS,
            MOMENTS_DECAY,
            FACTOR_DECAY,
            CommonOptions.labels("empirical"),
            T_COV,
            T_INV,
            KL_CLIP,
            MOMENTUM,
            WEIGHT_DECAY,
            CommonOptions.DIST);

    private static final OptionSchema IEKFAC = OptionSchema.of(
            "ieKFAC",
            DAMPING,
            DAMPING_RULE,
            FACTOR_DECAY,
            Option.of("floor", positive(), 1e-12, "least squared length of an output's gradient to divide by"),
            T_COV,
            T_INV,
            KL_CLIP,
            MOMENTUM,
            WEIGHT_DECAY,
            CommonOptions.DIST);

    private KroneckerMethods() {}

    static List<Method> all() {
        return List.of(
                new Method(
                        new OptimizerSchema(KFAC, 0.03, KFAC_RATES),
                        new Method.Facts(
                                "K-FAC, with KFC for convolutions",
                                "Martens and Grosse, 2015; Grosse and Martens, 2016",
                                "2 o i (i + o) flops; second moments at refreshes, inverses at longer intervals",
                                "P + 2 (i i + o o)"),
                        (device, groups, o, clipping) -> o.text("mode").equals("adaptive")
                                ? new AdaptiveKfac(device, groups, adaptive(o), clipping)
                                : new Kfac(device, groups, kfac(o, CommonOptions.labels(o)), clipping)),
                new Method(
                        new OptimizerSchema(EKFAC, 0.03),
                        new Method.Facts(
                                "EKFAC: K-FAC's eigenbasis with the best diagonal in it",
                                "George et al., 2018",
                                "4 o i (i + o) flops; second moments at refreshes, eigenvectors at longer intervals",
                                "2 P + 2 (i i + o o)"),
                        (device, groups, o, clipping) -> new Ekfac(device, groups, ekfac(o), clipping)),
                new Method(
                        new OptimizerSchema(TKFAC, 0.03),
                        new Method.Facts(
                                "TKFAC: K-FAC with factors of the Fisher block's trace",
                                "Gao et al., 2021",
                                "2 o i (i + o) flops; weighted moments at refreshes, inverses at longer intervals",
                                "P + 2 (i i + o o)"),
                        (device, groups, o, clipping) -> new Tkfac(device, groups, tkfac(o), clipping)),
                new Method(
                        new OptimizerSchema(TEKFAC, 0.03),
                        new Method.Facts(
                                "TEKFAC: EKFAC in TKFAC's eigenbasis",
                                "Gao et al., 2020",
                                "4 o i (i + o) flops; weighted moments at refreshes, eigenvectors at longer intervals",
                                "2 P + 2 (i i + o o)"),
                        (device, groups, o, clipping) -> new Tekfac(
                                device, groups, ekfac(o), o.text("damping_rule").equals("relative"), clipping)),
                new Method(
                        new OptimizerSchema(IEKFAC, 0.03),
                        new Method.Facts(
                                "ieKFAC: K-FAC on empirical gradients divided by their loss's",
                                "Wu et al., 2024",
                                "2 o i (i + o) flops; second moments at refreshes, inverses at longer intervals",
                                "P + 2 (i i + o o)"),
                        (device, groups, o, clipping) -> new Kfac(
                                device, groups, kfac(o, new LabelSource.Improved(o.real("floor"))), clipping)));
    }

    private static Kfac.Config kfac(Options o, LabelSource labels) {
        return new Kfac.Config(
                o.real("damping", Kfac.Config.usual().damping()),
                Kfac.Damping.valueOf(o.text("damping_rule").toUpperCase(Locale.ROOT)),
                o.real("factor_decay"),
                labels,
                o.integer("TCov"),
                o.integer("TInv"),
                o.real("kl_clip"),
                o.real("momentum"));
    }

    private static Ekfac.Config ekfac(Options o) {
        return new Ekfac.Config(
                o.real("damping"),
                Ekfac.Estimate.valueOf(o.text("moments").toUpperCase(Locale.ROOT)),
                o.real("moments_decay"),
                o.real("factor_decay"),
                CommonOptions.labels(o),
                o.integer("TCov"),
                o.integer("TInv"),
                o.real("kl_clip"),
                o.real("momentum"));
    }

    private static Tkfac.Config tkfac(Options o) {
        return new Tkfac.Config(
                o.real("damping"),
                Tkfac.Damping.valueOf(o.text("damping_rule").toUpperCase(Locale.ROOT)),
                o.real("factor_decay"),
                CommonOptions.labels(o),
                o.integer("TCov"),
                o.integer("TInv"),
                o.real("kl_clip"),
                o.real("momentum"));
    }

    private static AdaptiveKfac.Config adaptive(Options o) {
        return new AdaptiveKfac.Config(
                o.real("damping", AdaptiveKfac.Config.usual().damping()),
                o.real("factor_decay"),
                CommonOptions.labels(o),
                o.integer("T1"),
                o.integer("T2"),
                o.integer("T3"));
    }
}
