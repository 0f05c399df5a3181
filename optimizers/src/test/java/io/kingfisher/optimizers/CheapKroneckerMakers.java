package io.kingfisher.optimizers;

import io.kingfisher.optimizers.kronecker.Eva;
import io.kingfisher.optimizers.kronecker.Foof;
import io.kingfisher.optimizers.kronecker.Mkor;
import io.kingfisher.optimizers.kronecker.Skfac;
import io.kingfisher.optimizers.kronecker.Thor;
import java.util.List;

/** The Kronecker methods that cost less than K-FAC. */
final class CheapKroneckerMakers {
    private CheapKroneckerMakers() {}

    static List<Maker> all() {
        return List.of(
                new Maker(
                        "FOOF",
                        (device, groups, clipping) ->
                                new Foof(device, groups, new Foof.Config(0.1, 0.9, 2, 4, 0.9), clipping)),
                new Maker(
                        "Eva",
                        (device, groups, clipping) ->
                                new Eva(device, groups, new Eva.Config(0.03, 0.8, 2, 1e-3, 0.9), clipping)),
                new Maker(
                        "MKOR",
                        (device, groups, clipping) ->
                                new Mkor(device, groups, new Mkor.Config(0.9, 2, 2, 0.9, 0.9), clipping)),
                new Maker(
                        "SKFAC",
                        (device, groups, clipping) ->
                                new Skfac(device, groups, new Skfac.Config(0.05, 4, 1e-3, 0.9), clipping)),
                new Maker(
                        "THOR",
                        (device, groups, clipping) ->
                                new Thor(device, groups, new Thor.Config(0.05, 4, 4, 0.1, 0.01, 0.9), clipping)));
    }
}
