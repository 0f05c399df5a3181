package io.kingfisher.optimizers;

import io.kingfisher.runtime.Device;
import java.util.List;

/**
 * One optimizer as the tests make it that hold for all of them: with a refresh every few steps where there is one.
 *
 * @param name how failures name it
 */
record Maker(String name, Factory factory) {
    /** Makes it for any parameters. */
    interface Factory {
        Optimizer make(Device device, List<ParameterGroup> groups, Clipping clipping);
    }

    Optimizer make(Device device, List<ParameterGroup> groups, Clipping clipping) {
        return factory.make(device, groups, clipping);
    }

    Optimizer make(TestNet net) {
        return make(net.device(), net.group(1e-3, 1e-2), new Clipping.None());
    }

    Optimizer make(TestNet net, List<ParameterGroup> groups, Clipping clipping) {
        return make(net.device(), groups, clipping);
    }

    Optimizer make(Device device, List<ParameterGroup> groups) {
        return make(device, groups, new Clipping.None());
    }

    @Override
    public String toString() {
        return name;
    }
}
