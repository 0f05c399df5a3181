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
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Kernels by NVRTC, with a cache on disk. Sources that are new are compiled side by side. */
public final class NvrtcKernels implements KernelCompiler {
    private static final int MOST_THREADS = 8;

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
        var wanted = codes.stream()
                .distinct()
                .filter(code -> !modules.containsKey(code))
                .toList();
        if (!wanted.isEmpty()) {
            compile(wanted).forEach((code, cubin) -> modules.put(code, driver.loadModule(cubin, code.name())));
        }
        var answer = new LinkedHashMap<KernelCode, Long>();
        codes.forEach(code -> answer.put(code, modules.get(code)));
        return answer;
    }

    private Map<KernelCode, byte[]> compile(List<KernelCode> codes) {
        int threads = Math.min(
                MOST_THREADS, Math.min(codes.size(), Runtime.getRuntime().availableProcessors()));
        var cubins = new LinkedHashMap<KernelCode, byte[]>();
        try (var pool = Executors.newFixedThreadPool(
                threads,
                Thread.ofPlatform().daemon().name("kingfisher-nvrtc-", 0).factory())) {
            var results = new LinkedHashMap<KernelCode, Future<byte[]>>();
            codes.forEach(code -> results.put(code, pool.submit(() -> compiler.compile(code))));
            for (var result : results.entrySet()) {
                cubins.put(result.getKey(), result.getValue().get());
            }
            return cubins;
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException runtime -> throw runtime;
                case Error error -> throw error;
                default -> throw new KingfisherException("kernels could not be compiled: " + e.getCause(), e);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KingfisherException("interrupted while kernels were compiled", e);
        }
    }

    @Override
    public List<String> report() {
        return compiler.report();
    }
}
