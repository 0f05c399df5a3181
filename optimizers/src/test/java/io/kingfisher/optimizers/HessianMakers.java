package io.kingfisher.optimizers;

import io.kingfisher.optimizers.diagonal.AdaHessian;
import io.kingfisher.optimizers.diagonal.Esgd;
import io.kingfisher.optimizers.diagonal.Sophia;
import java.util.List;

/** The methods with a diagonal estimate of the curvature. */
final class HessianMakers {
    private HessianMakers() {}

    static List<Maker> all() {
        return List.of(
                new Maker(
                        "AdaHessian",
                        (device, groups, clipping) ->
                                new AdaHessian(device, groups, AdaHessian.Config.usual(), clipping)),
                new Maker(
                        "ESGD",
                        (device, groups, clipping) -> new Esgd(device, groups, new Esgd.Config(0.1, 4), clipping)),
                sophia("Sophia-H", Sophia.Estimator.HUTCHINSON),
                sophia("Sophia-G", Sophia.Estimator.GAUSS_NEWTON_BARTLETT));
    }

    private static Maker sophia(String name, Sophia.Estimator estimator) {
        var config = new Sophia.Config(estimator, 0.9, 0.9, 1, 1e-3, 3);
        return new Maker(name, (device, groups, clipping) -> new Sophia(device, groups, config, clipping));
    }
}
