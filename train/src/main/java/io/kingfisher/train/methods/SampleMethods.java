package io.kingfisher.train.methods;

import static io.kingfisher.train.config.ValueType.atLeast;
import static io.kingfisher.train.config.ValueType.choice;
import static io.kingfisher.train.config.ValueType.decay;
import static io.kingfisher.train.config.ValueType.nonNegative;
import static io.kingfisher.train.config.ValueType.positive;

import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.sample.EmpiricalFisher;
import io.kingfisher.optimizers.sample.Mfac;
import io.kingfisher.optimizers.sample.NaturalGradient;
import io.kingfisher.optimizers.sample.SampledFisher;
import io.kingfisher.train.config.OptimizerSchema;
import io.kingfisher.train.config.Option;
import io.kingfisher.train.config.OptionSchema;
import io.kingfisher.train.config.ValueType;
import java.util.List;

/** Methods whose step is a combination of gradients of single samples, or of the last batches. */
final class SampleMethods {
    private static final String IMPROVED_PAPER = "Wu, Yu, Zhang and Woodland, 2024";
    private static final Option MOMENTUM = Option.of("momentum", decay(), 0.0, "share of the last step that is kept");
    private static final Option DECAY =
            Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights, beside the direction");

    private static final OptionSchema EF = OptionSchema.of(
            "EF",
            Option.of("damping", nonNegative(), 1e-7, "added to the products of samples' gradients"),
            Option.of(
                    "duplicates",
                    new ValueType.Real(0, true, 1, false),
                    0.99,
                    "cosine above which a sample's gradient is that of an earlier one and left out; 1 keeps all"),
            MOMENTUM,
            DECAY,
            CommonOptions.DIST);

    private static final OptionSchema SF = OptionSchema.of(
            "SF",
            Option.of("draws", atLeast(1), 1L, "labels drawn from the model for each sample"),
            Option.of("damping", positive(), 0.1, "added to the Fisher matrix"),
            MOMENTUM,
            DECAY,
            CommonOptions.DIST);

    private static final OptionSchema NGD = OptionSchema.of(
            "NGD",
            Option.of("damping", nonNegative(), 1e-3, "added to the Fisher matrix"),
            MOMENTUM,
            DECAY,
            CommonOptions.DIST);

    private static final OptionSchema SMW = OptionSchema.of(
            "SMW",
            Option.of(
                    "matrix",
                    choice("natural_gradient", "gauss_newton"),
                    "natural_gradient",
                    "products of samples' gradients (SMW-NG), or of all columns of their outputs' curvature (SMW-GN)"),
            Option.of("samples", atLeast(1), 60L, "samples of the batch that the matrix is made of"),
            Option.of("damping", positive(), 1.0, "added to the matrix"),
            MOMENTUM,
            DECAY,
            CommonOptions.DIST);

    private static final OptionSchema MFAC = OptionSchema.of(
            "MFAC",
            Option.of("gradients", new ValueType.Whole(1, 8192), 1024L, "gradients that are kept"),
            Option.of("damping", positive(), 1e-5, "added to the mean of their products"),
            Option.of("momentum", decay(), 0.9, "share of the last step that is kept"),
            Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights, as part of the gradient"),
            CommonOptions.DIST);

    private SampleMethods() {}

    static List<Method> all() {
        return List.of(
                fisher(
                        EF,
                        0.02,
                        "natural gradient with the empirical Fisher matrix of the batch",
                        EmpiricalFisher.Target.ONE),
                new Method(
                        new OptimizerSchema(SF, 0.1),
                        new Method.Facts(
                                "natural gradient with a sampled Fisher matrix of the batch",
                                IMPROVED_PAPER,
                                "a backward pass for each draw, B B (i + o) and B B B / 3 flops, two products of captures",
                                "none"),
                        (device, groups, o, clipping) -> new SampledFisher(
                                device,
                                groups,
                                new SampledFisher.Config(
                                        new LabelSource.MonteCarlo(o.integer("draws")),
                                        Long.MAX_VALUE,
                                        o.real("damping"),
                                        o.real("momentum")),
                                clipping)),
                fisher(
                        EF.with("iEF"),
                        0.1,
                        "natural gradient with the improved empirical Fisher matrix of the batch",
                        EmpiricalFisher.Target.SQUARED_RESIDUAL),
                new Method(
                        new OptimizerSchema(NGD, 0.1),
                        new Method.Facts(
                                "natural gradient with the exact Fisher matrix of the batch",
                                "Amari, 1998",
                                "C backward passes, C C B B (i + o) and (C B)^3 / 3 flops for C outputs",
                                "none"),
                        (device, groups, o, clipping) -> new NaturalGradient(
                                device,
                                groups,
                                new NaturalGradient.Config(o.real("damping"), o.real("momentum")),
                                clipping)),
                new Method(
                        new OptimizerSchema(SMW, 0.1),
                        new Method.Facts(
                                "subsampled natural gradient or Gauss-Newton by Sherman, Morrison and Woodbury",
                                "Ren and Goldfarb, 2019",
                                "n n (i + o) and n n n / 3 flops for n samples, two products of captures",
                                "none"),
                        (device, groups, o, clipping) -> new SampledFisher(
                                device,
                                groups,
                                new SampledFisher.Config(
                                        o.text("matrix").equals("gauss_newton")
                                                ? new LabelSource.Exact()
                                                : new LabelSource.Empirical(),
                                        o.whole("samples"),
                                        o.real("damping"),
                                        o.real("momentum")),
                                clipping)),
                new Method(
                        new OptimizerSchema(MFAC, 1e-3),
                        new Method.Facts(
                                "M-FAC: the empirical Fisher matrix of the last m gradients",
                                "Frantar, Kurtic and Alistarh, 2021",
                                "4 m P and m m m / 3 flops",
                                "m P"),
                        (device, groups, o, clipping) -> new Mfac(
                                device,
                                groups,
                                new Mfac.Config(o.integer("gradients"), o.real("damping"), o.real("momentum")),
                                clipping)));
    }

    private static Method fisher(OptionSchema schema, double rate, String title, EmpiricalFisher.Target target) {
        return new Method(
                new OptimizerSchema(schema, rate),
                new Method.Facts(
                        title, IMPROVED_PAPER, "B B (i + o) and B B B / 3 flops, a product of captures", "none"),
                (device, groups, o, clipping) -> new EmpiricalFisher(
                        device,
                        groups,
                        new EmpiricalFisher.Config(target, o.real("damping"), o.real("duplicates"), o.real("momentum")),
                        clipping));
    }
}
