package io.kingfisher.optimizers;

import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.kronecker.Ekfac;
import io.kingfisher.optimizers.kronecker.Tekfac;
import io.kingfisher.optimizers.kronecker.Tkfac;
import io.kingfisher.optimizers.matrixfree.AdaptiveKfac;
import java.util.ArrayList;
import java.util.List;

/** The methods that take a layer's Fisher block as the product of two factors. */
final class KroneckerMakers {
    private static final LabelSource DATA = new LabelSource.Empirical();

    private KroneckerMakers() {}

    static List<Maker> all() {
        List<Maker> all = new ArrayList<>(List.of(
                new Maker(
                        "K-FAC, factored",
                        (device, groups, clipping) ->
                                new Kfac(device, groups, kfac(Kfac.Damping.FACTORED, 2), clipping),
                        Maker.Emulated.ALL_NETS),
                new Maker(
                        "K-FAC, exact",
                        (device, groups, clipping) ->
                                new Kfac(device, groups, kfac(Kfac.Damping.EXACT, 5), clipping))));
        for (Ekfac.Estimate estimate : Ekfac.Estimate.values()) {
            Ekfac.Config config = new Ekfac.Config(0.05, estimate, 0.75, 0.9, DATA, 2, 6, 1e-3, 0.9);
            all.add(new Maker(
                    "EKFAC, " + estimate,
                    (device, groups, clipping) -> new Ekfac(device, groups, config, clipping),
                    Maker.Emulated.ONE_NET_ALONE));
        }
        Ekfac.Config basis = new Ekfac.Config(0.05, Ekfac.Estimate.SAMPLES, 0.75, 0.9, DATA, 2, 6, 1e-3, 0.9);
        all.add(new Maker(
                "TEKFAC",
                (device, groups, clipping) -> new Tekfac(device, groups, basis, true, clipping),
                Maker.Emulated.ONE_NET_ALONE));
        Tkfac.Config traces = new Tkfac.Config(0.05, Tkfac.Damping.PLAIN, 0.9, DATA, 2, 4, 1e-3, 0.9);
        all.add(new Maker("TKFAC", (device, groups, clipping) -> new Tkfac(device, groups, traces, clipping)));
        Kfac.Config improved =
                new Kfac.Config(0.05, Kfac.Damping.FACTORED, 0.9, new LabelSource.Improved(1e-12), 2, 4, 1e-3, 0.9);
        all.add(new Maker("ieKFAC", (device, groups, clipping) -> new Kfac(device, groups, improved, clipping)));
        AdaptiveKfac.Config adaptive = new AdaptiveKfac.Config(2, 0.9, DATA, 2, 3, 4);
        all.add(new Maker(
                "K-FAC, adaptive", (device, groups, clipping) -> new AdaptiveKfac(device, groups, adaptive, clipping)));
        return all;
    }

    private static Kfac.Config kfac(Kfac.Damping damping, int factorInterval) {
        return new Kfac.Config(0.05, damping, 0.9, DATA, factorInterval, 5, 1e-3, 0.9);
    }
}
