package io.kingfisher.runtime.cuda.math;

import io.kingfisher.runtime.cuda.kernels.EmulatedDriver;

/** The real way to NVIDIA's libraries, with those libraries played by this processor in the streams of an emulated driver. */
public final class EmulatedNvidia {
    private EmulatedNvidia() {}

    public static MathLibraries libraries(EmulatedDriver driver) {
        return new CudaMathLibraries(
                driver,
                driver,
                new EmulatedBlas(driver::call),
                new EmulatedSolver(driver::call),
                new EmulatedDnn(driver::call));
    }
}
