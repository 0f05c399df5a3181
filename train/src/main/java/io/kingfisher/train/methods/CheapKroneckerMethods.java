package io.kingfisher.train.methods;

import static io.kingfisher.train.config.ValueType.atLeast;
import static io.kingfisher.train.config.ValueType.decay;
import static io.kingfisher.train.config.ValueType.fraction;
import static io.kingfisher.train.config.ValueType.nonNegative;
import static io.kingfisher.train.config.ValueType.positive;

import io.kingfisher.optimizers.kronecker.Eva;
import io.kingfisher.optimizers.kronecker.Foof;
import io.kingfisher.optimizers.kronecker.Mkor;
import io.kingfisher.optimizers.kronecker.Skfac;
import io.kingfisher.optimizers.kronecker.Thor;
import io.kingfisher.train.config.OptimizerSchema;
import io.kingfisher.train.config.Option;
import io.kingfisher.train.config.OptionSchema;
import io.kingfisher.train.config.ValueType;
import java.util.List;

/** Methods that make do with less of the Fisher matrix than K-FAC. */
final class CheapKroneckerMethods {
    private static final Option MOMENTUM = Option.of("momentum", decay(), 0.9, "share of the last step that is kept");
    private static final Option WEIGHT_DECAY =
            Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights, as part of the gradient");

    private static final OptionSchema FOOF = OptionSchema.of(
            "FOOF",
            Option.of("damping", positive(), 0.1, "added to the second moments of each layer's inputs"),
            Option.of("factor_decay", decay(), 0.95, "decay of their running averages"),
            Option.of("TCov", atLeast(1), 10L, "steps between estimates of the moments"),
            Option.of("TInv", atLeast(1), 100L, "steps between inversions, at each of which moments are estimated too"),
            MOMENTUM,
            WEIGHT_DECAY,
            CommonOptions.DIST);

    private static final OptionSchema EVA = OptionSchema.of(
            "Eva",
            Option.of("damping", positive(), 0.03, "added to the Fisher matrix of each layer"),
            Option.of(
                    "fresh",
                    new ValueType.Real(0, true, 1, false),
                    0.95,
                    "weight of the fresh means in their running averages"),
            Option.of("TCov", atLeast(1), 1L, "steps between fresh means"),
            Option.of(
                    "kl_clip",
                    nonNegative(),
                    1e-3,
                    "bound on the squared length of a step in the Fisher norm; 0: each layer's step keeps its gradient's"
                            + " length"),
            MOMENTUM,
            WEIGHT_DECAY,
            CommonOptions.DIST);

    private static final OptionSchema SKFAC = OptionSchema.of(
            "SKFAC",
            Option.of(
                    "damping", positive(), 0.03, "added to the Fisher matrix of each layer, as K-FAC does by factors"),
            Option.of("TInv", atLeast(1), 100L, "steps between refreshes, each of its batch alone"),
            Option.of("kl_clip", positive(), 1e-3, "bound on the squared length of a step in the Fisher norm"),
            MOMENTUM,
            WEIGHT_DECAY,
            CommonOptions.DIST);

    private static final OptionSchema THOR = OptionSchema.of(
            "THOR",
            Option.of("damping", positive(), 0.03, "whose root is added to each factor"),
            Option.of("split_dim", atLeast(1), 128L, "rows of the blocks along the factors' diagonals"),
            Option.of("TInv", atLeast(1), 100L, "steps between refreshes, each of its batch alone"),
            Option.of(
                    "omega1",
                    nonNegative(),
                    0.01,
                    "relative change of a block's trace above which it is refreshed; 0: always"),
            Option.of("omega2", nonNegative(), 1e-3, "change below which a block stays for good; at most omega1"),
            MOMENTUM,
            WEIGHT_DECAY,
            CommonOptions.DIST);

    private static final OptionSchema MKOR = OptionSchema.of(
            "MKOR",
            Option.of("factor_decay", new ValueType.Real(0, true, 1, true), 0.9, "decay of the factors, gamma"),
            Option.of("TCov", atLeast(1), 10L, "steps between updates of the factors' inverses"),
            Option.of(
                    "threshold",
                    positive(),
                    2.0,
                    "the largest element of an inverse that is not mixed with the identity"),
            Option.of("zeta", fraction(), 0.9, "the inverse's share in that mixture"),
            MOMENTUM,
            WEIGHT_DECAY,
            CommonOptions.DIST);

    private CheapKroneckerMethods() {}

    static List<Method> all() {
        return List.of(
                new Method(
                        new OptimizerSchema(FOOF, 0.03),
                        new Method.Facts(
                                "FOOF: ridge regression on each layer's inputs",
                                "Benzing, 2022",
                                "2 o i i flops; second moments of inputs at refreshes, inverses at longer intervals",
                                "P + 2 i i"),
                        (device, groups, o, clipping) -> new Foof(
                                device,
                                groups,
                                new Foof.Config(
                                        o.real("damping"),
                                        o.real("factor_decay"),
                                        o.integer("TCov"),
                                        o.integer("TInv"),
                                        o.real("momentum")),
                                clipping)),
                new Method(
                        new OptimizerSchema(EVA, 0.1),
                        new Method.Facts(
                                "Eva: K-FAC with factors of rank one",
                                "Zhang et al., 2023",
                                "three passes over P",
                                "P + i + o"),
                        (device, groups, o, clipping) -> new Eva(
                                device,
                                groups,
                                new Eva.Config(
                                        o.real("damping"),
                                        o.real("fresh"),
                                        o.integer("TCov"),
                                        o.real("kl_clip"),
                                        o.real("momentum")),
                                clipping)),
                new Method(
                        new OptimizerSchema(SKFAC, 0.03),
                        new Method.Facts(
                                "SKFAC: K-FAC by systems of the batch's size B",
                                "Tang et al., 2021",
                                "4 B o i flops; B B (i + o) at refreshes",
                                "P + B (i + o)"),
                        (device, groups, o, clipping) -> new Skfac(
                                device,
                                groups,
                                new Skfac.Config(
                                        o.real("damping"), o.integer("TInv"), o.real("kl_clip"), o.real("momentum")),
                                clipping)),
                new Method(
                        new OptimizerSchema(THOR, 0.03),
                        new Method.Facts(
                                "THOR: K-FAC by blocks that settle",
                                "Chen et al., 2021",
                                "4 o i split_dim flops; second moments and small inverses at refreshes",
                                "P + 3 split_dim (i + o)"),
                        (device, groups, o, clipping) -> new Thor(
                                device,
                                groups,
                                new Thor.Config(
                                        o.real("damping"),
                                        o.integer("split_dim"),
                                        o.integer("TInv"),
                                        o.real("omega1"),
                                        o.real("omega2"),
                                        o.real("momentum")),
                                clipping)),
                new Method(
                        new OptimizerSchema(MKOR, 0.03),
                        new Method.Facts(
                                "MKOR: K-FAC's inverses by updates of rank one",
                                "Mozaffari et al., 2023",
                                "2 o i (i + o) flops; i i + o o at refreshes",
                                "P + i i + o o"),
                        (device, groups, o, clipping) -> new Mkor(
                                device,
                                groups,
                                new Mkor.Config(
                                        o.real("factor_decay"),
                                        o.integer("TCov"),
                                        o.real("threshold"),
                                        o.real("zeta"),
                                        o.real("momentum")),
                                clipping)));
    }
}
