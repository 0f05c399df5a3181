package io.kingfisher.runtime.cpu.kernels;

/** Whether the JVM has the Vector API, asked without touching it. */
final class VectorSupport {
    static final boolean PRESENT =
            ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();

    /** The floats in a vector; 1 where there is no Vector API. Loading it takes tens of milliseconds. */
    static int length() {
        return PRESENT ? Lanes.FLOATS.length() : 1;
    }

    private VectorSupport() {}
}
