package io.kingfisher.optimizers;

import io.kingfisher.optimizers.diagonal.AdaMax;
import io.kingfisher.optimizers.diagonal.Lion;
import java.util.List;

/** The methods of {@code optimizers.diagonal}. */
final class DiagonalMakers {
    private DiagonalMakers() {}

    static List<Maker> all() {
        return List.of(
                new Maker(
                        "AdaMax",
                        (device, groups, clipping) -> new AdaMax(device, groups, AdaMax.Config.usual(), clipping)),
                new Maker(
                        "Lion",
                        (device, groups, clipping) -> new Lion(device, groups, Lion.Config.usual(), clipping),
                        Maker.Emulated.ONE_NET_ALONE));
    }
}
