package io.kingfisher.optimizers;

import io.kingfisher.optimizers.matrixfree.CurveBall;
import io.kingfisher.optimizers.matrixfree.HessianFree;
import io.kingfisher.optimizers.matrixfree.Lbfgs;
import io.kingfisher.optimizers.matrixfree.Sgn;
import io.kingfisher.optimizers.matrixfree.StrongWolfe;
import java.util.List;

/** The methods that look at the loss of a batch again. */
final class MatrixFreeMakers {
    private MatrixFreeMakers() {}

    static List<Maker> all() {
        return List.of(
                new Maker(
                        "SGN",
                        (device, groups, clipping) -> new Sgn(device, groups, new Sgn.Config(0.1, 3, true), clipping)),
                new Maker(
                        "CurveBall",
                        (device, groups, clipping) ->
                                new CurveBall(device, groups, new CurveBall.Config(1, 0.9, 2), clipping)),
                new Maker(
                        "HF",
                        (device, groups, clipping) -> new HessianFree(
                                device, groups, new HessianFree.Config(1, 4, 5e-4, 0.95, 1, 0.75), clipping)),
                new Maker(
                        "L-BFGS",
                        (device, groups, clipping) -> new Lbfgs(
                                device, groups, new Lbfgs.Config(3, new StrongWolfe(1e-4, 0.9, 10)), clipping),
                        Maker.Emulated.ONE_NET_ALONE));
    }
}
