package io.kingfisher.optimizers;

import io.kingfisher.optimizers.AdaFisherConfig.Mode;
import java.util.List;

/** All optimizers, with a refresh every 5 steps where there is one. */
enum Makers {
    SGD {
        @Override
        Optimizer make(TestNet net, List<ParameterGroup> groups, Clipping clipping) {
            return new Sgd(net.device(), groups, new Sgd.Config(0.9, 0, false), clipping);
        }
    },
    ADAM_W {
        @Override
        Optimizer make(TestNet net, List<ParameterGroup> groups, Clipping clipping) {
            return new Adam(net.device(), groups, Adam.Config.adamW(), clipping);
        }
    },
    RELEASED {
        @Override
        Optimizer make(TestNet net, List<ParameterGroup> groups, Clipping clipping) {
            return adaFisher(net, groups, clipping, Mode.RELEASED);
        }
    },
    PAPER {
        @Override
        Optimizer make(TestNet net, List<ParameterGroup> groups, Clipping clipping) {
            return adaFisher(net, groups, clipping, Mode.PAPER);
        }
    },
    RELATIVE {
        @Override
        Optimizer make(TestNet net, List<ParameterGroup> groups, Clipping clipping) {
            return adaFisher(net, groups, clipping, Mode.RELATIVE);
        }
    };

    abstract Optimizer make(TestNet net, List<ParameterGroup> groups, Clipping clipping);

    Optimizer make(TestNet net) {
        return make(net, net.group(1e-3, 1e-2), new Clipping.None());
    }

    private static Optimizer adaFisher(TestNet net, List<ParameterGroup> groups, Clipping clipping, Mode mode) {
        AdaFisherConfig config = AdaFisherConfig.of(mode).withRefreshInterval(5);
        return new AdaFisher(net.device(), groups, mode == Mode.PAPER ? config.withDecoupledDecay() : config, clipping);
    }
}
