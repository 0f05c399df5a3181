package io.kingfisher.train.methods;

import static io.kingfisher.train.config.ValueType.atLeast;
import static io.kingfisher.train.config.ValueType.choice;
import static io.kingfisher.train.config.ValueType.decay;
import static io.kingfisher.train.config.ValueType.nonNegative;
import static io.kingfisher.train.config.ValueType.positive;

import io.kingfisher.optimizers.Kfac;
import io.kingfisher.train.config.OptimizerSchema;
import io.kingfisher.train.config.Option;
import io.kingfisher.train.config.OptionSchema;
import io.kingfisher.train.config.Options;
import java.util.List;
import java.util.Locale;

/** Methods that take the Fisher block of a layer as a Kronecker product. */
final class KroneckerMethods {
    private static final OptionSchema KFAC = OptionSchema.of(
            "KFAC",
            Option.of("damping", positive(), 1e-3, "added to the Fisher matrix of each layer"),
            Option.of(
                    "damping_rule",
                    choice("factored", "exact"),
                    "factored",
                    "its root added to each factor, or all of it to their product"),
            Option.of("factor_decay", decay(), 0.95, "decay of the factors' running averages"),
            CommonOptions.labels("sampled"),
            Option.of("TCov", atLeast(1), 10L, "steps between refreshes of the factors"),
            Option.of("TInv", atLeast(1), 100L, "steps between inversions, at each of which factors are refreshed too"),
            Option.of("kl_clip", positive(), 1e-3, "bound on the squared length of a step in the Fisher norm"),
            Option.of("momentum", decay(), 0.9, "share of the last step that is kept"),
            Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights, as part of the gradient"),
            CommonOptions.DIST);

    private KroneckerMethods() {}

    static List<Method> all() {
        return List.of(new Method(
                new OptimizerSchema(KFAC, 0.03),
                new Method.Facts(
                        "K-FAC, with KFC for convolutions",
                        "Martens and Grosse, 2015; Grosse and Martens, 2016",
                        "2 o i (i + o) flops; second moments at refreshes, inverses at longer intervals",
                        "P + 2 (i i + o o)"),
                (device, groups, o, clipping) -> new Kfac(device, groups, kfac(o), clipping)));
    }

    private static Kfac.Config kfac(Options o) {
        return new Kfac.Config(
                o.real("damping"),
                Kfac.Damping.valueOf(o.text("damping_rule").toUpperCase(Locale.ROOT)),
                o.real("factor_decay"),
                CommonOptions.labels(o),
                o.integer("TCov"),
                o.integer("TInv"),
                o.real("kl_clip"),
                o.real("momentum"));
    }
}
