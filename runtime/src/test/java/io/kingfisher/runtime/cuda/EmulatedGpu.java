package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.cuda.kernels.EmulatedDriver;
import io.kingfisher.runtime.cuda.kernels.KernelEmulator;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import io.kingfisher.runtime.cuda.math.EmulatedNvidia;
import io.kingfisher.runtime.cuda.math.PlainMathLibraries;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;

/** A CUDA device that this processor plays. */
public final class EmulatedGpu implements AutoCloseable {
    private final KernelEmulator emulator;
    private final LateDriver driver;
    private final StreamedLibraries libraries;
    private final CudaDevice device;
    private final DeviceOptions options;

    private EmulatedGpu(KernelEmulator emulator, DeviceOptions options, Function<KernelEmulator, LateDriver> make) {
        this.emulator = emulator;
        this.options = options;
        this.driver = make.apply(emulator);
        this.libraries = new StreamedLibraries(driver, new PlainMathLibraries());
        this.device = new CudaDevice("cuda:0", driver, libraries, driver, options);
    }

    /** A GPU with NVIDIA's libraries played call by call, parameters and all. */
    private EmulatedGpu(KernelEmulator emulator) {
        this.emulator = emulator;
        this.options = new DeviceOptions(1);
        this.driver = new LateDriver(emulator);
        this.libraries = null;
        this.device = new CudaDevice("cuda:0", driver, EmulatedNvidia.libraries(driver), driver, options);
    }

    /** The device as it is on a GPU, down to the parameters of NVIDIA's libraries. */
    public static EmulatedGpu openWithNvidia() {
        return new EmulatedGpu(KernelEmulator.open());
    }

    /** Skips the test that asks for it where there is no g++. */
    public static EmulatedGpu open() {
        return open(new DeviceOptions(1));
    }

    public static EmulatedGpu open(DeviceOptions options) {
        return open(options, LateDriver::new);
    }

    /** A GPU that does everything at once, where others do it when somebody waits for it. */
    public static EmulatedGpu openEarly() {
        return open(new DeviceOptions(1), emulator -> new LateDriver(emulator, LateDriver.Pace.EARLY));
    }

    /** A GPU with a driver that does something of its own. */
    static EmulatedGpu open(DeviceOptions options, Function<KernelEmulator, LateDriver> make) {
        return new EmulatedGpu(KernelEmulator.open(), options, make);
    }

    public CudaDevice device() {
        return device;
    }

    /**
     * Compiles the kernels of many programs with few calls of g++.
     *
     * @param compile compiles the programs for the device that it is given; no program comes of it
     */
    public void prepare(Consumer<Device> compile) {
        Set<KernelCode> codes = new LinkedHashSet<>();
        KernelCompiler collector = new KernelCompiler() {
            @Override
            public Map<KernelCode, Long> modules(Collection<KernelCode> asked) {
                codes.addAll(asked);
                throw new KingfisherException("Only the sources were wanted.");
            }

            @Override
            public List<String> report() {
                return List.of();
            }
        };
        EmulatedDriver scratch = new EmulatedDriver(emulator);
        try (CudaDevice sketch = new CudaDevice(
                "cuda:0", scratch, new StreamedLibraries(scratch, new PlainMathLibraries()), collector, options)) {
            compile.accept(sketch);
        }
        emulator.prepare(codes);
    }

    /** What the host has asked for and waited for, in order: see {@link LateDriver#order()}. */
    public List<String> order() {
        return driver.order();
    }

    LateDriver driver() {
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
