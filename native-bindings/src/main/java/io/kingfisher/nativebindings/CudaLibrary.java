package io.kingfisher.nativebindings;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** NVIDIA's libraries that Kingfisher calls, each found and loaded when first asked for. */
public enum CudaLibrary {
    /** The driver, {@code libcuda}: what comes with the kernel module, not with the toolkit. */
    CUDA("the CUDA driver", List.of("libcuda.so.1")),
    CUBLASLT("cuBLASLt", List.of("libcublasLt.so.13", "libcublasLt.so.12")),
    CUBLAS("cuBLAS", List.of("libcublas.so.13", "libcublas.so.12")),
    CUDNN("cuDNN", List.of("libcudnn.so.9")),
    CUSOLVER("cuSOLVER", List.of("libcusolver.so.12", "libcusolver.so.11")),
    NVRTC("NVRTC", List.of("libnvrtc.so.13", "libnvrtc.so.12")),
    NCCL("NCCL", List.of("libnccl.so.2")),
    NVTX("NVTX", List.of("libnvtx3interop.so.1"));

    private final String product;
    private final List<String> files;
    private volatile SymbolLookup symbols;

    CudaLibrary(String product, List<String> files) {
        this.product = product;
        this.files = files;
    }

    /** Whether the library, which is loaded for this, exports a function: newer ones export more. */
    public boolean has(String function) {
        return symbols().find(function).isPresent();
    }

    Optional<MemorySegment> find(String function) {
        var found = symbols().find(function);
        if (found.isEmpty()) {
            throw new NativeLibraryException(product + " has no function " + function + "; a newer one is needed");
        }
        return found;
    }

    static Optional<CudaLibrary> of(String name) {
        for (var library : values()) {
            if (library.name().toLowerCase(Locale.ROOT).equals(name)) {
                return Optional.of(library);
            }
        }
        return Optional.empty();
    }

    @SuppressWarnings("restricted")
    private synchronized SymbolLookup symbols() {
        if (symbols == null) {
            Libraries.requireNativeAccess();
            for (var file : files) {
                try {
                    symbols = SymbolLookup.libraryLookup(file, Arena.global());
                    return symbols;
                } catch (IllegalArgumentException e) {
                    // The next version of it, if there is one.
                }
            }
            throw new NativeLibraryException(
                    "Kingfisher found no usable " + product + " (" + String.join(", ", files) + ")");
        }
        return symbols;
    }
}
