package io.kingfisher.train.methods;

import static io.kingfisher.train.config.ValueType.atLeast;
import static io.kingfisher.train.config.ValueType.choice;
import static io.kingfisher.train.config.ValueType.decay;
import static io.kingfisher.train.config.ValueType.nonNegative;
import static io.kingfisher.train.config.ValueType.positive;

import io.kingfisher.optimizers.Adam;
import io.kingfisher.optimizers.curvature.Polar;
import io.kingfisher.optimizers.curvature.Roots;
import io.kingfisher.optimizers.shampoo.DistributedShampoo;
import io.kingfisher.optimizers.shampoo.Jorge;
import io.kingfisher.optimizers.shampoo.Muon;
import io.kingfisher.optimizers.shampoo.Shampoo;
import io.kingfisher.optimizers.shampoo.Soap;
import io.kingfisher.train.config.OptimizerSchema;
import io.kingfisher.train.config.Option;
import io.kingfisher.train.config.OptionSchema;
import io.kingfisher.train.config.Options;
import io.kingfisher.train.config.ValueType;
import java.util.List;
import java.util.Locale;

/** Methods that precondition the modes of a gradient by second moments of gradients. */
final class ShampooMethods {
    private static final ValueType SUM_OR_DECAY = new ValueType.Real(0, true, 1, false);

    private static final Option DECOUPLED_DECAY =
            Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights, apart from the gradient");
    private static final Option INTERVAL =
            Option.of("TCov", atLeast(1), 1L, "steps between updates of the second moments");

    private static final OptionSchema SHAMPOO = OptionSchema.of(
            "Shampoo",
            Option.of("eps", positive(), 1e-4, "added to the diagonals of the second moments"),
            Option.of("decay", SUM_OR_DECAY, 1.0, "decay of the second moments; 1 sums them up"),
            Option.of("momentum", decay(), 0.9, "share of the last step that is kept"),
            INTERVAL,
            Option.of("TInv", atLeast(1), 10L, "steps between roots, at each of which second moments are updated too"),
            Option.of("max_dimension", atLeast(0), 1200L, "longer axes keep the diagonals of their second moments"),
            Option.of(
                    "matrices", new ValueType.Bool(), false, "kernels as matrices [out, in x kh x kw], not as tensors"),
            Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights, as part of the gradient"),
            CommonOptions.DIST);

    private static final OptionSchema DISTRIBUTED = OptionSchema.of(
            "DistributedShampoo",
            Option.of("beta1", decay(), 0.9, "decay of the mean of gradients; betas: [b1, b2] sets both"),
            Option.of("beta2", SUM_OR_DECAY, 0.999, "decay of the second moments; 1 sums them up"),
            Option.of("momentum", decay(), 0.0, "share of the last step that is kept"),
            Option.of("nesterov", new ValueType.Bool(), false, "look ahead along the momentum"),
            Option.of("block_size", atLeast(1), 1024L, "the longest axis of a block"),
            Option.of("merge", new ValueType.Bool(), true, "join neighbouring axes that are no longer than a block"),
            Option.of("eps", positive(), 1e-6, "added to the diagonals of the second moments"),
            Option.of(
                    "eps_rule",
                    choice("relative", "absolute"),
                    "relative",
                    "times their largest eigenvalue, or as it is"),
            Option.of("root", choice("eigen", "coupled_newton"), "eigen", "how roots are taken"),
            Option.of("exponent", atLeast(0), 0L, "p of the roots -1/p; 0 for twice the number of axes"),
            INTERVAL,
            Option.of("TInv", atLeast(1), 100L, "steps between roots, at each of which second moments are updated too"),
            Option.of(
                    "start",
                    new ValueType.WordOr("auto", atLeast(1)),
                    "auto",
                    "the first preconditioned step; auto: TInv + 1, when the roots are of many gradients"),
            Option.of(
                    "graft",
                    choice("none", "sgd", "adagrad", "rmsprop", "adam"),
                    "adam",
                    "the method whose steps' length a block's steps have"),
            Option.of("graft_beta2", decay(), 0.999, "rmsprop, adam: decay of their mean of squared gradients"),
            Option.of("graft_eps", positive(), 1e-8, "adagrad, rmsprop, adam: added to their denominator"),
            Option.of("decoupled", new ValueType.Bool(), true, "weight decay apart from the gradient"),
            Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights"),
            CommonOptions.DIST);

    private static final OptionSchema SOAP = OptionSchema.of(
            "SOAP",
            Option.of("beta1", decay(), 0.95, "decay of the mean of gradients; betas: [b1, b2] sets both"),
            Option.of("beta2", decay(), 0.95, "decay of the mean of squared gradients"),
            Option.of("shampoo_beta", decay(), 0.95, "decay of the second moments"),
            Option.of("eps", positive(), 1e-8, "added to the denominator"),
            Option.of("TInv", atLeast(1), 10L, "steps between refreshes of the bases"),
            Option.of("max_dimension", atLeast(0), 10_000L, "longer axes have no basis"),
            Option.of("vectors", new ValueType.Bool(), false, "bases for biases and norms, too"),
            Option.of("normalize", new ValueType.Bool(), false, "steps of a mean square of 1"),
            Option.of("weight_decay", nonNegative(), 0.01, "decay of the weights, apart from the gradient"),
            CommonOptions.DIST);

    private static final OptionSchema JORGE = OptionSchema.of(
            "Jorge",
            Option.of("momentum", decay(), 0.9, "share of the last step that is kept"),
            Option.of("eps", positive(), 1e-6, "the second moments begin as this multiple of the identity"),
            Option.of("floor", nonNegative(), 1e-6, "added to second moments as a fraction of their mean diagonal"),
            Option.of("terms", new ValueType.Whole(2, 3), 2L, "terms of the binomial series"),
            Option.of("symmetric", new ValueType.Bool(), true, "keep the roots symmetric"),
            Option.of("TInv", atLeast(1), 1L, "steps between updates of the roots"),
            Option.of("max_dimension", atLeast(0), 8192L, "longer sides have no preconditioner"),
            DECOUPLED_DECAY,
            CommonOptions.DIST);

    private static final OptionSchema MUON = OptionSchema.of(
            "Muon",
            Option.of("momentum", decay(), 0.95, "decay of the mean of gradients"),
            Option.of("nesterov", new ValueType.Bool(), true, "look ahead along the momentum"),
            Option.of("iterations", atLeast(1), 5L, "Newton-Schulz iterations"),
            Option.of(
                    "scale",
                    choice("spectral", "like_adam"),
                    "spectral",
                    "sqrt(max(1, rows / columns)), or 0.2 sqrt(max(rows, columns))"),
            Option.of("adam_ratio", positive(), 0.015, "AdamW's learning rate, of what is no hidden matrix, by lr"),
            Option.of("beta1", decay(), 0.9, "AdamW: decay of the mean of gradients; betas: [b1, b2] sets both"),
            Option.of("beta2", decay(), 0.95, "AdamW: decay of the mean of squared gradients"),
            Option.of("eps", positive(), 1e-10, "AdamW: added to the denominator"),
            DECOUPLED_DECAY,
            CommonOptions.DIST);

    private ShampooMethods() {}

    static List<Method> all() {
        return List.of(
                new Method(
                        new OptimizerSchema(SHAMPOO, 0.02),
                        new Method.Facts(
                                "Shampoo: an inverse root of the second moment of each axis",
                                "Gupta, Koren and Singer, 2018",
                                "4 o i (o + i) flops; eigendecompositions at intervals",
                                "P + 2 (i i + o o)"),
                        (device, groups, o, clipping) -> new Shampoo(device, groups, shampoo(o), clipping)),
                new Method(
                        new OptimizerSchema(DISTRIBUTED, 1e-3),
                        new Method.Facts(
                                "Shampoo in blocks, grafted to another method, in one process",
                                "Anil et al., 2020; Shi et al., 2023",
                                "8 P b flops with blocks of b; roots at intervals",
                                "6 P with square blocks"),
                        (device, groups, o, clipping) ->
                                new DistributedShampoo(device, groups, distributed(o), clipping)),
                new Method(
                        new OptimizerSchema(SOAP, 3e-3),
                        new Method.Facts(
                                "AdamW in Shampoo's eigenbasis",
                                "Vyas et al., 2024",
                                "6 o i (o + i) flops; QR at intervals",
                                "2 P + 2 (i i + o o)"),
                        (device, groups, o, clipping) -> new Soap(device, groups, soap(o), clipping)),
                new Method(
                        new OptimizerSchema(JORGE, 0.1),
                        new Method.Facts(
                                "Shampoo by products alone",
                                "Singh, Sating and Bhatele, 2023",
                                "4 o i (o + i) flops and six products of each side's size at refreshes",
                                "2 P + i i + o o"),
                        (device, groups, o, clipping) -> new Jorge(device, groups, jorge(o), clipping)),
                new Method(
                        new OptimizerSchema(MUON, 0.02),
                        new Method.Facts(
                                "Muon: the momentum of hidden matrices made orthogonal, AdamW for the rest",
                                "Jordan et al., 2024",
                                "20 r r c + 10 r r r flops, r the shorter side",
                                "P; 2 P of what AdamW updates"),
                        (device, groups, o, clipping) -> new Muon(device, groups, muon(o), clipping)));
    }

    private static Shampoo.Config shampoo(Options o) {
        return new Shampoo.Config(
                o.real("eps"),
                o.real("decay"),
                o.real("momentum"),
                o.integer("TCov"),
                o.integer("TInv"),
                o.integer("max_dimension"),
                o.flag("matrices"));
    }

    private static DistributedShampoo.Config distributed(Options o) {
        var graft = DistributedShampoo.Graft.valueOf(o.text("graft").toUpperCase(Locale.ROOT));
        return new DistributedShampoo.Config(
                o.real("beta1"),
                o.real("beta2"),
                o.real("momentum"),
                o.flag("nesterov"),
                o.integer("block_size"),
                o.flag("merge"),
                new Roots.Ridge(o.real("eps"), o.text("eps_rule").equals("relative")),
                DistributedShampoo.RootMethod.valueOf(o.text("root").toUpperCase(Locale.ROOT)),
                o.integer("exponent"),
                o.integer("TCov"),
                o.integer("TInv"),
                o.whole("start", o.integer("TInv") + 1),
                new DistributedShampoo.Grafting(graft, o.real("graft_beta2"), o.real("graft_eps")),
                o.flag("decoupled"));
    }

    private static Soap.Config soap(Options o) {
        return new Soap.Config(
                o.real("beta1"),
                o.real("beta2"),
                o.real("shampoo_beta"),
                o.real("eps"),
                o.integer("TInv"),
                o.integer("max_dimension"),
                o.flag("vectors"),
                o.flag("normalize"));
    }

    private static Jorge.Config jorge(Options o) {
        return new Jorge.Config(
                o.real("momentum"),
                o.real("eps"),
                o.real("floor"),
                o.integer("terms"),
                o.flag("symmetric"),
                o.integer("TInv"),
                o.integer("max_dimension"));
    }

    private static Muon.Config muon(Options o) {
        return new Muon.Config(
                o.real("momentum"),
                o.flag("nesterov"),
                Polar.fast(o.integer("iterations")),
                Muon.Scale.valueOf(o.text("scale").toUpperCase(Locale.ROOT)),
                new Adam.Config(o.real("beta1"), o.real("beta2"), o.real("eps"), true),
                o.real("adam_ratio"));
    }
}
