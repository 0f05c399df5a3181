package io.kingfisher.optimizers;

import io.kingfisher.optimizers.curvature.Roots;
import io.kingfisher.optimizers.shampoo.DistributedShampoo;
import io.kingfisher.optimizers.shampoo.Jorge;
import io.kingfisher.optimizers.shampoo.Muon;
import io.kingfisher.optimizers.shampoo.Shampoo;
import io.kingfisher.optimizers.shampoo.Soap;
import java.util.List;

/** The methods of {@code optimizers.shampoo}. */
final class ShampooMakers {
    private ShampooMakers() {}

    static List<Maker> all() {
        Shampoo.Config shampoo = new Shampoo.Config(1e-2, 1, 0.9, 2, 4, 20, true);
        DistributedShampoo.Config distributed = new DistributedShampoo.Config(
                0.9,
                0.9,
                0.5,
                true,
                16,
                true,
                new Roots.Ridge(1e-2, true),
                DistributedShampoo.RootMethod.COUPLED_NEWTON,
                0,
                1,
                5,
                3,
                new DistributedShampoo.Grafting(DistributedShampoo.Graft.ADAM, 0.99, 1e-4),
                true);
        Soap.Config soap = new Soap.Config(0.9, 0.9, 0.9, 1e-2, 5, 100, true, false);
        Jorge.Config jorge = new Jorge.Config(0.9, 1e-3, 1e-4, 2, true, 3, 30);
        return List.of(
                new Maker("Shampoo", (device, groups, clipping) -> new Shampoo(device, groups, shampoo, clipping)),
                new Maker(
                                "Distributed Shampoo",
                                (device, groups, clipping) ->
                                        new DistributedShampoo(device, groups, distributed, clipping))
                        .emulated(Maker.Emulated.ONE_NET_ALONE),
                new Maker("SOAP", (device, groups, clipping) -> new Soap(device, groups, soap, clipping))
                        .emulated(Maker.Emulated.ONE_NET_ALONE),
                new Maker("Jorge", (device, groups, clipping) -> new Jorge(device, groups, jorge, clipping)),
                new Maker("Muon", (device, groups, clipping) -> new Muon(device, groups, Muon.Config.usual(), clipping))
                        .emulated(Maker.Emulated.ONE_NET_ALONE));
    }
}
