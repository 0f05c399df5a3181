package io.kingfisher.runtime.cuda.nvrtc;

import io.kingfisher.nativebindings.Libraries;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.cuda.KernelCompiler;
import io.kingfisher.runtime.cuda.driver.Driver;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Kernels by NVRTC, with a cache on disk. Sources that are new are compiled one after another. */
public final class NvrtcKernels implements KernelCompiler {
    private final Driver driver;
    private final CubinCompiler compiler;
    private final Map<KernelCode, Long> modules = new HashMap<>();

    /**
     * Kernels for a driver's GPU, kept in the folder {@code cubins} of {@link Libraries#cacheFolder}.
     *
     * @throws io.kingfisher.nativebindings.NativeLibraryException if there is no usable NVRTC
     * @throws KingfisherException if NVRTC is too old, or too new, for the GPU
     */
    public NvrtcKernels(Driver driver) {
        this(driver, new CubinCache(Libraries.cacheFolder().resolve("cubins")));
    }

    NvrtcKernels(Driver driver, CubinCache cache) {
        this.driver = driver;
        var properties = driver.properties();
        this.compiler = new CubinCompiler(properties.major() * 10 + properties.minor(), cache);
    }

    @Override
    public synchronized Map<KernelCode, Long> modules(Collection<KernelCode> codes) {
        var answer = new LinkedHashMap<KernelCode, Long>();
        for (var code : codes) {
            if (!modules.containsKey(code)) {
                modules.put(code, driver.loadModule(compiler.compile(code), code.name()));
            }
            answer.put(code, modules.get(code));
        }
        return answer;
    }

    @Override
    public List<String> report() {
        return compiler.report();
    }
}
