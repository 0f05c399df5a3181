package io.kingfisher.train.methods;

import static io.kingfisher.train.config.ValueType.atLeast;
import static io.kingfisher.train.config.ValueType.fraction;
import static io.kingfisher.train.config.ValueType.nonNegative;
import static io.kingfisher.train.config.ValueType.positive;

import io.kingfisher.optimizers.matrixfree.CurveBall;
import io.kingfisher.optimizers.matrixfree.HessianFree;
import io.kingfisher.optimizers.matrixfree.Lbfgs;
import io.kingfisher.optimizers.matrixfree.Sgn;
import io.kingfisher.optimizers.matrixfree.StrongWolfe;
import io.kingfisher.train.config.OptimizerSchema;
import io.kingfisher.train.config.Option;
import io.kingfisher.train.config.OptionSchema;
import io.kingfisher.train.config.Options;
import io.kingfisher.train.config.ValueType;
import java.util.List;

/** Methods that look at the loss of a batch again. */
final class MatrixFreeMethods {
    private static final Option DECAY =
            Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights, as part of the loss");

    private static final OptionSchema HF = OptionSchema.of(
            "HF",
            Option.of("damping", positive(), 1.0, "added to the Gauss-Newton matrix at first; it adapts"),
            Option.of("iterations", atLeast(1), 250L, "conjugate gradient iterations, at most"),
            Option.of("progress", nonNegative(), 5e-4, "relative progress for an iteration at which they stop"),
            Option.of("cg_decay", fraction(), 0.95, "share of the last solution at which they begin"),
            Option.of("draws", atLeast(0), 8L, "backward passes behind the preconditioner; 0 for none"),
            Option.of("power", fraction(), 0.75, "power of the preconditioner"),
            DECAY,
            CommonOptions.DIST);

    private static final OptionSchema CURVE_BALL = OptionSchema.of(
            "CurveBall",
            Option.of("damping", positive(), 1.0, "added to the Gauss-Newton matrix at first; it adapts"),
            Option.of(
                    "damping_factor",
                    new ValueType.Real(0, true, 1, false),
                    0.999,
                    "what the damping changes by for each step"),
            Option.of("damping_interval", atLeast(1), 5L, "steps between changes of the damping"),
            DECAY,
            CommonOptions.DIST);

    private static final OptionSchema SGN = OptionSchema.of(
            "SGN",
            Option.of("damping", positive(), 1e-2, "added to the Gauss-Newton matrix"),
            Option.of("iterations", atLeast(1), 10L, "conjugate gradient iterations, at most"),
            Option.of("adaptive", new ValueType.Bool(), false, "whether the damping follows Levenberg and Marquardt"),
            DECAY,
            CommonOptions.DIST);

    private static final OptionSchema LBFGS = OptionSchema.of(
            "LBFGS",
            Option.of("history_size", atLeast(1), 10L, "pairs of steps and changes of the gradient kept"),
            Option.of("max_eval", atLeast(1), 25L, "gradients for each line search, at most"),
            Option.of("c1", positive(), 1e-4, "share of the slope that the decrease must reach"),
            Option.of("c2", positive(), 0.9, "share of the slope that may be left"),
            DECAY,
            CommonOptions.DIST);

    private MatrixFreeMethods() {}

    static List<Method> all() {
        return List.of(
                new Method(
                        new OptimizerSchema(HF, 1),
                        new Method.Facts(
                                "Hessian-free optimization",
                                "Martens, 2010",
                                "about 2 gradients for each conjugate gradient iteration; line search",
                                "about 25 P"),
                        (device, groups, o, clipping) -> new HessianFree(device, groups, hf(o), clipping)),
                new Method(
                        new OptimizerSchema(CURVE_BALL, 1),
                        new Method.Facts(
                                "CurveBall: momentum that solves for the Newton direction",
                                "Henriques et al., 2019",
                                "two Gauss-Newton products, about 4 gradients",
                                "6 P"),
                        (device, groups, o, clipping) -> new CurveBall(
                                device,
                                groups,
                                new CurveBall.Config(
                                        o.real("damping"),
                                        o.real("damping_factor"),
                                        Math.toIntExact(o.integer("damping_interval"))),
                                clipping)),
                new Method(
                        new OptimizerSchema(SGN, 1),
                        new Method.Facts(
                                "SGN: stochastic Gauss-Newton",
                                "Gargiani et al., 2020",
                                "about 2 gradients for each conjugate gradient iteration",
                                "8 P"),
                        (device, groups, o, clipping) -> new Sgn(
                                device,
                                groups,
                                new Sgn.Config(
                                        o.real("damping"),
                                        Math.toIntExact(o.integer("iterations")),
                                        o.flag("adaptive")),
                                clipping)),
                new Method(
                        new OptimizerSchema(LBFGS, 1),
                        new Method.Facts(
                                "L-BFGS with a strong Wolfe line search on the step's batch",
                                "Liu and Nocedal, 1989",
                                "4 m P, and a gradient for each look of the line search",
                                "(2 m + 4) P"),
                        (device, groups, o, clipping) -> new Lbfgs(device, groups, lbfgs(o), clipping)));
    }

    private static HessianFree.Config hf(Options o) {
        return new HessianFree.Config(
                o.real("damping"),
                Math.toIntExact(o.integer("iterations")),
                o.real("progress"),
                o.real("cg_decay"),
                Math.toIntExact(o.integer("draws")),
                o.real("power"));
    }

    private static Lbfgs.Config lbfgs(Options o) {
        return new Lbfgs.Config(
                Math.toIntExact(o.integer("history_size")),
                new StrongWolfe(o.real("c1"), o.real("c2"), Math.toIntExact(o.integer("max_eval"))));
    }
}
