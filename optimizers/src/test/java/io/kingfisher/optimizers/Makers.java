package io.kingfisher.optimizers;

import io.kingfisher.optimizers.AdaFisherConfig.Mode;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.runtime.Device;
import java.util.List;

/** All optimizers, with a refresh every 5 steps where there is one. */
enum Makers {
    SGD {
        @Override
        Optimizer make(Device device, List<ParameterGroup> groups, Clipping clipping) {
            return new Sgd(device, groups, new Sgd.Config(0.9, 0, false), clipping);
        }
    },
    ADAM_W {
        @Override
        Optimizer make(Device device, List<ParameterGroup> groups, Clipping clipping) {
            return new Adam(device, groups, Adam.Config.adamW(), clipping);
        }
    },
    RELEASED {
        @Override
        Optimizer make(Device device, List<ParameterGroup> groups, Clipping clipping) {
            return adaFisher(device, groups, clipping, Mode.RELEASED);
        }
    },
    PAPER {
        @Override
        Optimizer make(Device device, List<ParameterGroup> groups, Clipping clipping) {
            return adaFisher(device, groups, clipping, Mode.PAPER);
        }
    },
    RELATIVE {
        @Override
        Optimizer make(Device device, List<ParameterGroup> groups, Clipping clipping) {
            return adaFisher(device, groups, clipping, Mode.RELATIVE);
        }
    },
    KFAC {
        @Override
        Optimizer make(Device device, List<ParameterGroup> groups, Clipping clipping) {
            LabelSource labels = new LabelSource.Empirical();
            return new Kfac(
                    device,
                    groups,
                    new Kfac.Config(0.05, Kfac.Damping.FACTORED, 0.9, labels, 2, 5, 1e-3, 0.9),
                    clipping);
        }
    },
    KFAC_EXACT {
        @Override
        Optimizer make(Device device, List<ParameterGroup> groups, Clipping clipping) {
            LabelSource labels = new LabelSource.Empirical();
            return new Kfac(
                    device, groups, new Kfac.Config(0.05, Kfac.Damping.EXACT, 0.9, labels, 5, 5, 1e-3, 0.9), clipping);
        }
    };

    abstract Optimizer make(Device device, List<ParameterGroup> groups, Clipping clipping);

    Optimizer make(TestNet net) {
        return make(net.device(), net.group(1e-3, 1e-2), new Clipping.None());
    }

    Optimizer make(TestNet net, List<ParameterGroup> groups, Clipping clipping) {
        return make(net.device(), groups, clipping);
    }

    Optimizer make(Device device, List<ParameterGroup> groups) {
        return make(device, groups, new Clipping.None());
    }

    private static Optimizer adaFisher(Device device, List<ParameterGroup> groups, Clipping clipping, Mode mode) {
        AdaFisherConfig config = AdaFisherConfig.of(mode).withRefreshInterval(5);
        return new AdaFisher(device, groups, mode == Mode.PAPER ? config.withDecoupledDecay() : config, clipping);
    }
}
