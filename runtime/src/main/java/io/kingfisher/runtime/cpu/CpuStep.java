package io.kingfisher.runtime.cpu;

/**
 * A piece of a replay, prepared once and bound to absolute addresses. Running it allocates nothing. Not part of the public
 * interface: public only for the packages below this one.
 */
@FunctionalInterface
public interface CpuStep {
    void run();
}
