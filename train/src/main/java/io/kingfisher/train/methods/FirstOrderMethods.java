package io.kingfisher.train.methods;

import static io.kingfisher.train.config.ValueType.decay;
import static io.kingfisher.train.config.ValueType.fraction;
import static io.kingfisher.train.config.ValueType.nonNegative;
import static io.kingfisher.train.config.ValueType.positive;

import io.kingfisher.optimizers.Adam;
import io.kingfisher.optimizers.Sgd;
import io.kingfisher.optimizers.diagonal.AdaMax;
import io.kingfisher.optimizers.diagonal.Lion;
import io.kingfisher.train.config.OptimizerSchema;
import io.kingfisher.train.config.Option;
import io.kingfisher.train.config.OptionSchema;
import io.kingfisher.train.config.ValueType;
import java.util.List;

/** Methods that need gradients alone, elementwise. */
final class FirstOrderMethods {
    private static final Option AMSGRAD =
            Option.of("amsgrad", new ValueType.OnlyFalse(), false, "the running maximum of the second moment");

    private static final OptionSchema ADAM = OptionSchema.of(
            "Adam",
            Option.of("beta1", decay(), 0.9, "decay of the mean of gradients; betas: [b1, b2] sets both"),
            Option.of("beta2", decay(), 0.999, "decay of the mean of squared gradients"),
            Option.of("eps", positive(), 1e-8, "added to the denominator"),
            Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights"),
            AMSGRAD,
            CommonOptions.DIST);

    private static final OptionSchema SGD = OptionSchema.of(
            "SGD",
            Option.of("momentum", decay(), 0.0, "share of the last step that is kept"),
            Option.of("nesterov", new ValueType.Bool(), false, "look ahead along the momentum"),
            Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights"),
            Option.of("dampening", fraction(), 0.0, "share of the gradient left out of the momentum"),
            CommonOptions.DIST);

    private static final OptionSchema ADAMAX = OptionSchema.of(
            "AdaMax",
            Option.of("beta1", decay(), 0.9, "decay of the mean of gradients; betas: [b1, b2] sets both"),
            Option.of("beta2", decay(), 0.999, "decay of the largest gradient"),
            Option.of("eps", positive(), 1e-8, "added to the size of a gradient"),
            Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights, as part of the gradient"),
            CommonOptions.DIST);

    private static final OptionSchema LION = OptionSchema.of(
            "Lion",
            Option.of("beta1", fraction(), 0.9, "the momentum's share in the step; betas: [b1, b2] sets both"),
            Option.of("beta2", decay(), 0.99, "decay of the momentum"),
            Option.of("weight_decay", nonNegative(), 0.0, "decay of the weights, apart from the gradient"),
            CommonOptions.DIST);

    private FirstOrderMethods() {}

    static List<Method> all() {
        return List.of(
                new Method(
                        new OptimizerSchema(SGD, 0.1),
                        new Method.Facts(
                                "stochastic gradient descent with momentum",
                                "Robbins and Monro, 1951; Polyak, 1964",
                                "one pass over P",
                                "P"),
                        (device, groups, o, clipping) -> new Sgd(
                                device,
                                groups,
                                new Sgd.Config(o.real("momentum"), o.real("dampening"), o.flag("nesterov")),
                                clipping)),
                adam(ADAM, "Adam", "Kingma and Ba, 2015", false),
                adam(
                        ADAM.withDefault("AdamW", "weight_decay", 0.01),
                        "Adam with decoupled weight decay",
                        "Loshchilov and Hutter, 2019",
                        true),
                new Method(
                        new OptimizerSchema(ADAMAX, 2e-3),
                        new Method.Facts(
                                "Adam by the largest gradient of late",
                                "Kingma and Ba, 2015",
                                "one pass over P",
                                "2 P"),
                        (device, groups, o, clipping) -> new AdaMax(
                                device,
                                groups,
                                new AdaMax.Config(o.real("beta1"), o.real("beta2"), o.real("eps")),
                                clipping)),
                new Method(
                        new OptimizerSchema(LION, 1e-4),
                        new Method.Facts("the sign of a momentum", "Chen et al., 2023", "one pass over P", "P"),
                        (device, groups, o, clipping) ->
                                new Lion(device, groups, new Lion.Config(o.real("beta1"), o.real("beta2")), clipping)));
    }

    private static Method adam(OptionSchema schema, String title, String paper, boolean decoupled) {
        return new Method(
                new OptimizerSchema(schema, 1e-3),
                new Method.Facts(title, paper, "one pass over P", "2 P"),
                (device, groups, o, clipping) -> new Adam(
                        device,
                        groups,
                        new Adam.Config(o.real("beta1"), o.real("beta2"), o.real("eps"), decoupled),
                        clipping));
    }
}
