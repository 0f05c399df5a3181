package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.cuda.CudaDevices;

/** What a machine may not have by itself, for checks of how it is refused. */
public final class Circumstances {
    private Circumstances() {}

    /**
     * Opens a GPU whose driver says of itself what it is told to say; a version that is old enough is refused on every
     * machine, by the code that asks every driver for its own.
     *
     * @param version the newest CUDA that the driver supports, such as 11080 for 11.8
     * @throws io.kingfisher.runtime.KingfisherException where that is too old, else as {@link Device#open(String)}
     */
    public static Device openWithDriver(String name, int version) {
        return CudaDevices.open(name, DeviceOptions.defaults(), version);
    }
}
