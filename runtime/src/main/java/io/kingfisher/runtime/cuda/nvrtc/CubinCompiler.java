package io.kingfisher.runtime.cuda.nvrtc;

import io.kingfisher.nativebindings.CudaLibrary;
import io.kingfisher.nativebindings.LoadedLibrary;
import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.nativebindings.nvrtc.Nvrtc;
import io.kingfisher.nativebindings.nvrtc.NvrtcProgram;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Compiles kernels for one architecture, or takes them from a cache. Any thread may call, several at once. */
public final class CubinCompiler {
    private final String architecture;
    private final CubinCache cache;
    private final LoadedLibrary library;
    private final AtomicInteger compiled = new AtomicInteger();
    private final AtomicInteger kept = new AtomicInteger();

    /**
     * A compiler for GPUs of a compute capability.
     *
     * @param capability such as 90 for {@code sm_90}
     * @throws io.kingfisher.nativebindings.NativeLibraryException if there is no usable NVRTC
     * @throws KingfisherException if NVRTC does not know the architecture
     */
    public CubinCompiler(int capability, CubinCache cache) {
        this.architecture = "sm_" + capability;
        this.cache = cache;
        this.library = CudaLibrary.NVRTC.load();
        var known = Nvrtc.architectures();
        if (!known.contains(capability)) {
            throw new KingfisherException("NVRTC " + library.version() + " (" + library.path()
                    + ") cannot compile kernels for " + architecture + ": it knows " + known
                    + "; install the NVRTC of " + (capability > known.getLast() ? "a newer" : "an older") + " CUDA");
        }
    }

    /** The options that all kernels are compiled with. */
    public static List<String> options(String architecture) {
        // Lines cost nothing at run time, and profilers show them.
        return List.of("--gpu-architecture=" + architecture, "--std=c++17", "--generate-line-info");
    }

    /**
     * Returns the machine code of a source.
     *
     * @throws KingfisherException naming the source, with what the compiler said, if it does not compile
     */
    public byte[] compile(KernelCode code) {
        var options = options(architecture);
        var key = new CubinCache.Key(code.name(), code.text(), options, library.version());
        var found = cache.get(key);
        if (found.isPresent()) {
            kept.incrementAndGet();
            return found.get();
        }
        try (var program = new NvrtcProgram(code.name(), code.text())) {
            program.compile(options);
            var cubin = program.cubin();
            compiled.incrementAndGet();
            cache.put(key, cubin);
            return cubin;
        } catch (NativeException e) {
            throw new KingfisherException(
                    "the kernels of " + code.name() + " do not compile for " + architecture + " by NVRTC "
                            + library.version() + " (" + library.path() + "): " + e.getMessage(),
                    e);
        }
    }

    /** What compiled how much, a line each. */
    public List<String> report() {
        var first = "kernels: NVRTC " + library.version() + " (" + library.path() + ", from " + library.origin()
                + "), for " + architecture;
        var second = "kernel cache: " + cache.folder() + ", " + kept + " taken from it, " + compiled + " compiled";
        return cache.trouble()
                .map(trouble -> List.of(first, second, "kernel cache: " + trouble))
                .orElseGet(() -> List.of(first, second));
    }
}
