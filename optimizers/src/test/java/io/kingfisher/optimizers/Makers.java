package io.kingfisher.optimizers;

import io.kingfisher.optimizers.AdaFisherConfig.Mode;
import io.kingfisher.runtime.Device;
import java.util.List;
import java.util.stream.Stream;

/** All optimizers. */
final class Makers {
    static final Maker SGD = new Maker(
            "SGD", (device, groups, clipping) -> new Sgd(device, groups, new Sgd.Config(0.9, 0, false), clipping));
    static final Maker ADAM_W =
            new Maker("AdamW", (device, groups, clipping) -> new Adam(device, groups, Adam.Config.adamW(), clipping));
    static final Maker RELEASED = adaFisher(Mode.RELEASED);
    static final Maker PAPER = adaFisher(Mode.PAPER);
    static final Maker RELATIVE = adaFisher(Mode.RELATIVE);

    private Makers() {}

    /** Every optimizer; each family lists its own. */
    static List<Maker> all() {
        return Stream.of(
                        firstOrder(),
                        DiagonalMakers.all(),
                        KroneckerMakers.all(),
                        HessianMakers.all(),
                        CheapKroneckerMakers.all(),
                        MatrixFreeMakers.all(),
                        SampleMakers.all(),
                        ShampooMakers.all())
                .flatMap(List::stream)
                .toList();
    }

    /** Those without curvature, and AdaFisher. */
    static List<Maker> firstOrder() {
        return Stream.of(SGD, ADAM_W, RELEASED, PAPER, RELATIVE)
                .map(maker -> maker.emulated(Maker.Emulated.ALL_NETS))
                .toList();
    }

    private static Maker adaFisher(Mode mode) {
        AdaFisherConfig config = AdaFisherConfig.of(mode).withRefreshInterval(5);
        AdaFisherConfig chosen = mode == Mode.PAPER ? config.withDecoupledDecay() : config;
        return new Maker(
                "AdaFisher " + mode,
                (Device device, List<ParameterGroup> groups, Clipping clipping) ->
                        new AdaFisher(device, groups, chosen, clipping));
    }
}
