package io.kingfisher.optimizers;

import io.kingfisher.optimizers.curvature.LabelSource;
import java.util.List;

/** The methods of {@link KroneckerOptimizer}. */
final class KroneckerMakers {
    private KroneckerMakers() {}

    static List<Maker> all() {
        return List.of(
                new Maker(
                        "K-FAC, factored",
                        (device, groups, clipping) ->
                                new Kfac(device, groups, kfac(Kfac.Damping.FACTORED, 2), clipping)),
                new Maker(
                        "K-FAC, exact",
                        (device, groups, clipping) -> new Kfac(device, groups, kfac(Kfac.Damping.EXACT, 5), clipping)));
    }

    private static Kfac.Config kfac(Kfac.Damping damping, int factorInterval) {
        return new Kfac.Config(0.05, damping, 0.9, new LabelSource.Empirical(), factorInterval, 5, 1e-3, 0.9);
    }
}
