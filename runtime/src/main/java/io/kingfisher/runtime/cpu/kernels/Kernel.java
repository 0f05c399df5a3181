package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.cpu.CpuStep;

/** A computation prepared for its shapes and types that still lacks its memory. */
public interface Kernel {
    /** The memory that it needs while it runs, besides its operands; 0 for most. */
    default long scratchBytes() {
        return 0;
    }

    /**
     * The computation over memory at absolute addresses: the inputs', then the outputs', then the scratch memory's where it
     * needs any. An output may have the address of an input that has the same type and the same place for every element.
     */
    CpuStep bind(long... addresses);
}
