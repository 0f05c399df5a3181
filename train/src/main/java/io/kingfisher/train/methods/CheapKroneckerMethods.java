package io.kingfisher.train.methods;

import static io.kingfisher.train.config.ValueType.atLeast;
import static io.kingfisher.train.config.ValueType.decay;
import static io.kingfisher.train.config.ValueType.nonNegative;
import static io.kingfisher.train.config.ValueType.positive;

import io.kingfisher.optimizers.kronecker.Eva;
import io.kingfisher.optimizers.kronecker.Foof;
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
                                clipping)));
    }
}
