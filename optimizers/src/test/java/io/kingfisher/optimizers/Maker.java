package io.kingfisher.optimizers;

import io.kingfisher.runtime.Device;
import java.util.List;

/**
 * One optimizer as the tests make it that hold for all of them: with a refresh every few steps where there is one.
 *
 * @param name how failures name it
 * @param emulated on what the emulated GPU runs it, which takes long
 */
record Maker(String name, Factory factory, Emulated emulated) {
    /** The nets that the emulated GPU trains, and whether they are compared with the reference device. */
    enum Emulated {
        ALL_NETS,
        ONE_NET,
        /**
         * It is compared with itself only, since rounding decides where its steps go: by the basis among eigenvectors of equal
         * eigenvalues, by the sign of a gradient that is zero but for rounding, or by quotients of small differences.
         */
        ONE_NET_ALONE
    }

    Maker(String name, Factory factory) {
        this(name, factory, Emulated.ONE_NET);
    }

    /** With another choice of {@link #emulated}. */
    Maker emulated(Emulated other) {
        return new Maker(name, factory, other);
    }

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

    /** Whether it solves for its step, and so takes no clipped gradients. */
    boolean solves() {
        return MatrixFreeMakers.all().stream().anyMatch(maker -> maker.name().equals(name))
                || name.equals("K-FAC, adaptive");
    }

    @Override
    public String toString() {
        return name;
    }
}
