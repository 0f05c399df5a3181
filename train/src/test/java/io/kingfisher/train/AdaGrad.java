package io.kingfisher.train;

import static io.kingfisher.optimizers.Hyperparameters.RATE;
import static io.kingfisher.train.config.ValueType.nonNegative;
import static io.kingfisher.train.config.ValueType.positive;

import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.Update;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.train.config.OptimizerSchema;
import io.kingfisher.train.config.Option;
import io.kingfisher.train.config.OptionSchema;
import io.kingfisher.train.methods.Method;
import java.util.List;

/** AdaGrad (Duchi et al., 2011): s = s + g^2, p = p - lr g / (sqrt(s) + eps). */
final class AdaGrad extends Optimizer {
    private final double eps;

    AdaGrad(Device device, List<ParameterGroup> groups, double eps, Clipping clipping) {
        super(device, groups, clipping);
        this.eps = eps;
    }

    @Override
    protected void update(Update u, ParameterGroup group) {
        Expr g = u.gradient().add(u.parameter().mul(group.weightDecay()));
        Update.Slot sum = u.state("sum");
        Expr s = sum.value().add(g.square());
        u.set(sum, s);
        u.setParameter(u.parameter().sub(u.scalar(RATE).mul(g.div(s.sqrt().add(eps)))));
    }

    /** How configurations name it. */
    static Method method() {
        var schema = OptionSchema.of(
                "AdaGrad",
                Option.of("eps", positive(), 1e-10, "added to the denominator"),
                Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights"));
        return new Method(
                new OptimizerSchema(schema, 0.01),
                new Method.Facts("AdaGrad", "Duchi et al., 2011", "one pass over P", "P"),
                (device, groups, o, clipping) -> new AdaGrad(device, groups, o.real("eps"), clipping));
    }
}
