package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.cuda.kernels.EmulatedDriver;
import io.kingfisher.runtime.cuda.kernels.KernelEmulator;
import io.kingfisher.runtime.cuda.math.PlainMathLibraries;

/** A CUDA device that this processor plays. */
public final class EmulatedGpu implements AutoCloseable {
    private final KernelEmulator emulator;
    private final EmulatedDriver driver;
    private final StreamedLibraries libraries;
    private final CudaDevice device;

    private EmulatedGpu(KernelEmulator emulator, DeviceOptions options) {
        this.emulator = emulator;
        this.driver = new EmulatedDriver(emulator);
        this.libraries = new StreamedLibraries(driver, new PlainMathLibraries());
        this.device = new CudaDevice("cuda:0", driver, libraries, driver, options);
    }

    /** Skips the test that asks for it where there is no g++. */
    public static EmulatedGpu open() {
        return open(new DeviceOptions(1));
    }

    public static EmulatedGpu open(DeviceOptions options) {
        return new EmulatedGpu(KernelEmulator.open(), options);
    }

    public CudaDevice device() {
        return device;
    }

    EmulatedDriver driver() {
        return driver;
    }

    StreamedLibraries libraries() {
        return libraries;
    }

    @Override
    public void close() {
        device.close();
        emulator.close();
    }
}
