package io.kingfisher.runtime.cuda;

import io.kingfisher.nativebindings.CudaLibrary;
import io.kingfisher.nativebindings.Libraries;
import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.nativebindings.NativeLibraryException;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.cuda.driver.CudaDriver;
import io.kingfisher.runtime.cuda.math.CudaMathLibraries;
import io.kingfisher.runtime.cuda.nvrtc.NvrtcKernels;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Opens NVIDIA GPUs by name: the driver, the compiler of kernels and the mathematical libraries of each. */
public final class CudaDevices {
    private static final Pattern NAME = Pattern.compile("cuda:(\\d{1,6})");

    private CudaDevices() {}

    /** Whether a device's name is that of a GPU, whether there is one or not. */
    public static boolean isName(String name) {
        return NAME.matcher(name).matches();
    }

    /**
     * Opens a GPU.
     *
     * @param name {@code cuda:0} and so on, counted as {@code nvidia-smi} does, after {@code CUDA_VISIBLE_DEVICES}
     * @throws KingfisherException where there is no driver, no such GPU, or a library is missing or too old: which, and what
     *     to do
     */
    public static Device open(String name, DeviceOptions options) {
        return open(name, options, CudaDriver::open);
    }

    /**
     * Opens a GPU where the driver says of itself what it is told to say.
     *
     * @param driverVersion the newest CUDA that the driver supports, such as 12040
     * @throws KingfisherException as {@link #open(String, DeviceOptions)}; before all else where that is too old
     */
    public static Device open(String name, DeviceOptions options, int driverVersion) {
        return open(name, options, ordinal -> {
            CudaLibrary.checkDriver(driverVersion);
            return CudaDriver.open(ordinal);
        });
    }

    private static Device open(String name, DeviceOptions options, IntFunction<CudaDriver> open) {
        Matcher matcher = NAME.matcher(name);
        if (!matcher.matches()) {
            throw new KingfisherException("A GPU's name is cuda: and its number, such as cuda:0, not '" + name + "'.");
        }
        try {
            CudaDriver driver = open.apply(Integer.parseInt(matcher.group(1)));
            try {
                var kernels = new NvrtcKernels(driver);
                var math = CudaMathLibraries.open(
                        driver, kernels, Libraries.cacheFolder().resolve("algorithms"));
                return new CudaDevice(name, driver, math, kernels, options);
            } catch (RuntimeException | Error e) {
                driver.close();
                throw e;
            }
        } catch (NativeLibraryException | NativeException | KingfisherException e) {
            String reason = e.getMessage();
            throw new KingfisherException(
                    "The device " + name + " cannot be opened: " + reason + (reason.endsWith(".") ? "" : "."), e);
        }
    }
}
