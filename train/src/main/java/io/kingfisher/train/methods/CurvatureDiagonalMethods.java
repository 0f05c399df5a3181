package io.kingfisher.train.methods;

import static io.kingfisher.train.config.ValueType.atLeast;
import static io.kingfisher.train.config.ValueType.decay;
import static io.kingfisher.train.config.ValueType.fraction;
import static io.kingfisher.train.config.ValueType.nonNegative;
import static io.kingfisher.train.config.ValueType.positive;

import io.kingfisher.optimizers.diagonal.AdaHessian;
import io.kingfisher.optimizers.diagonal.Esgd;
import io.kingfisher.optimizers.diagonal.Sophia;
import io.kingfisher.train.config.OptimizerSchema;
import io.kingfisher.train.config.Option;
import io.kingfisher.train.config.OptionSchema;
import java.util.List;

/** Methods that divide by an estimate of the curvature's diagonal. */
final class CurvatureDiagonalMethods {
    private static final Option DECAY =
            Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights, apart from the gradient");

    private static final OptionSchema ADA_HESSIAN = OptionSchema.of(
            "AdaHessian",
            Option.of("beta1", decay(), 0.9, "decay of the mean of gradients; betas: [b1, b2] sets both"),
            Option.of("beta2", decay(), 0.999, "decay of the mean of squared estimates"),
            Option.of("eps", positive(), 1e-4, "added to the denominator"),
            Option.of("hessian_power", fraction(), 1.0, "power of the curvature in the denominator"),
            interval(1),
            DECAY,
            CommonOptions.DIST);

    private static final OptionSchema ESGD = OptionSchema.of(
            "ESGD",
            Option.of("damping", positive(), 1e-4, "added to the denominator"),
            interval(20),
            Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights, as part of the gradient"),
            CommonOptions.DIST);

    private CurvatureDiagonalMethods() {}

    private static Option interval(long fallback) {
        return Option.of("TCov", atLeast(1), fallback, "steps between estimates of the curvature");
    }

    static List<Method> all() {
        return List.of(
                new Method(
                        new OptimizerSchema(ADA_HESSIAN, 0.15),
                        new Method.Facts(
                                "AdaHessian: Adam on an estimate of the Hessian's diagonal",
                                "Yao et al., 2021",
                                "one Hessian-vector product, about 2 gradients",
                                "2 P"),
                        (device, groups, o, clipping) -> new AdaHessian(
                                device,
                                groups,
                                new AdaHessian.Config(
                                        o.real("beta1"),
                                        o.real("beta2"),
                                        o.real("eps"),
                                        o.real("hessian_power"),
                                        o.integer("TCov")),
                                clipping)),
                new Method(
                        new OptimizerSchema(ESGD, 0.01),
                        new Method.Facts(
                                "equilibrated gradient descent",
                                "Dauphin et al., 2015",
                                "one pass over P; a Hessian-vector product at refreshes",
                                "P"),
                        (device, groups, o, clipping) -> new Esgd(
                                device, groups, new Esgd.Config(o.real("damping"), o.integer("TCov")), clipping)),
                sophia(
                        "SophiaG",
                        "Sophia with the Gauss-Newton diagonal of sampled labels",
                        Sophia.Estimator.GAUSS_NEWTON_BARTLETT),
                sophia("SophiaH", "Sophia with Hutchinson's diagonal", Sophia.Estimator.HUTCHINSON));
    }

    private static Method sophia(String name, String title, Sophia.Estimator estimator) {
        var usual = Sophia.Config.of(estimator);
        OptionSchema schema = OptionSchema.of(
                name,
                Option.of("beta1", decay(), usual.beta1(), "decay of the mean of gradients; betas: [b1, b2] sets both"),
                Option.of("beta2", decay(), usual.beta2(), "decay of the mean of estimates"),
                Option.of("rho", positive(), usual.rho(), "scale of the curvature: the larger, the fewer are clipped"),
                Option.of("eps", positive(), usual.epsilon(), "the least denominator"),
                interval(usual.interval()),
                Option.of("weight_decay", nonNegative(), 0.1, "decay of the weights, apart from the gradient"),
                CommonOptions.DIST);
        return new Method(
                new OptimizerSchema(schema, 6e-4),
                new Method.Facts(
                        title,
                        "Liu et al., 2024",
                        estimator == Sophia.Estimator.HUTCHINSON
                                ? "one pass over P; a Hessian-vector product at refreshes"
                                : "one pass over P; another backward pass at refreshes",
                        "2 P"),
                (device, groups, o, clipping) -> new Sophia(
                        device,
                        groups,
                        new Sophia.Config(
                                estimator,
                                o.real("beta1"),
                                o.real("beta2"),
                                o.real("rho"),
                                o.real("eps"),
                                o.integer("TCov")),
                        clipping));
    }
}
