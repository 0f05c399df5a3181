package io.kingfisher.nativebindings;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * NVIDIA's libraries that Kingfisher calls, each found and loaded when first asked for.
 *
 * <p>A library is looked for, in this order:
 * <ol>
 * <li>the file, or a file in the folder, that the system property {@code kingfisher.NAME.path} names, for example
 *     {@code kingfisher.cudnn.path}, or else the environment variable {@code KINGFISHER_NAME_PATH}: used or refused, never
 *     passed over;
 * <li>pip's wheels in the folder {@code site-packages} that the system property {@code kingfisher.wheels} or the
 *     environment variable {@code KINGFISHER_WHEELS} names;
 * <li>the toolkits that {@code CUDA_HOME} and {@code CUDA_PATH} name, and those in {@code /usr/local/cuda*};
 * <li>pip's wheels in {@code VIRTUAL_ENV} and {@code CONDA_PREFIX}, and those of the {@code python3} on the {@code PATH}
 *     (for NVTX only under a profiler);
 * <li>the system's search path;
 * <li>for NVRTC, the jar {@code org.bytedeco:cuda-redist} on the class path or the module path.
 * </ol>
 * Libraries of CUDA 12.4 to 13.x fit, and cuDNN 9. A library of a newer CUDA than the driver supports is passed over. The
 * driver itself is only looked for by 1. and on the system's search path: it comes with the machine.
 */
public enum CudaLibrary {
    /** The driver, {@code libcuda}. It comes with the kernel's module, not with the toolkit. */
    CUDA(
            "the CUDA driver",
            List.of(new Soname("libcuda.so.1", 0)),
            "cuGraphInstantiateWithParams",
            List.of(12, 4),
            "install NVIDIA's driver, version 550 or newer (a container must be started with the GPUs, such as docker run"
                    + " --gpus all)"),
    /** cuBLASLt: matrix products with what is done before and after. */
    CUBLASLT(
            "cuBLASLt",
            both("libcublasLt.so.13", "libcublasLt.so.12"),
            "cublasLtMatmul",
            List.of(12, 4),
            toolkit("cublas")),
    /** cuBLAS. */
    CUBLAS(
            "cuBLAS",
            both("libcublas.so.13", "libcublas.so.12"),
            "cublasGemmStridedBatchedEx_64",
            List.of(12, 4),
            toolkit("cublas")),
    /** NVRTC: compiles CUDA C++. */
    NVRTC(
            "NVRTC",
            both("libnvrtc.so.13", "libnvrtc.so.12"),
            "nvrtcGetCUBIN",
            List.of(12, 4),
            toolkit("cuda-nvrtc") + ", or add the jar org.bytedeco:cuda-redist to the class path"),
    /** cuDNN 9; its parts lie beside it. */
    CUDNN(
            "cuDNN",
            List.of(new Soname("libcudnn.so.9", 0)),
            "cudnnBackendExecute",
            List.of(9),
            "install cuDNN 9, or pip install nvidia-cudnn-cu13 (nvidia-cudnn-cu12 for CUDA 12)"),
    /** cuSOLVER. */
    CUSOLVER(
            "cuSOLVER",
            both("libcusolver.so.12", "libcusolver.so.11"),
            "cusolverDnXsyevd",
            List.of(11, 6),
            toolkit("cusolver")),
    /** NCCL: collectives between GPUs. */
    NCCL(
            "NCCL",
            List.of(new Soname("libnccl.so.2", 0)),
            "ncclCommInitRankConfig",
            List.of(2, 18),
            "install NCCL 2.18 or newer, or pip install nvidia-nccl-cu13 (nvidia-nccl-cu12 for CUDA 12); only several GPUs"
                    + " need it"),
    /** NVTX 3: names for profilers. */
    NVTX(
            "NVTX",
            List.of(new Soname("libnvtx3interop.so.1", 0)),
            "nvtxRangePushA",
            List.of(3),
            toolkit("nvtx") + "; only profiling needs it");

    private final String product;
    private final List<Soname> sonames;
    private final String symbol;
    private final List<Integer> minimum;
    private final String advice;

    /**
     * The name of a library's file.
     *
     * @param cuda the major version of the CUDA that it is part of, 0 where the name does not tell
     */
    record Soname(String file, int cuda) {}

    CudaLibrary(String product, List<Soname> sonames, String symbol, List<Integer> minimum, String advice) {
        this.product = product;
        this.sonames = sonames;
        this.symbol = symbol;
        this.minimum = minimum;
        this.advice = advice;
    }

    private static List<Soname> both(String cuda13, String cuda12) {
        return List.of(new Soname(cuda13, 13), new Soname(cuda12, 12));
    }

    private static String toolkit(String wheel) {
        return "install the CUDA toolkit, 12.4 or newer, or pip install nvidia-" + wheel + " (nvidia-" + wheel
                + "-cu12 for CUDA 12)";
    }

    /**
     * Loads the library if it is not loaded yet, and says what was loaded.
     *
     * @throws NativeLibraryException if no usable one is found, or native access is denied
     */
    public LoadedLibrary load() {
        return search().open(this).report();
    }

    /**
     * Whether the library, which is loaded for this, exports a function: newer ones export more.
     *
     * @throws NativeLibraryException if no usable library is found
     */
    public boolean has(String function) {
        return search().open(this).symbols().find(function).isPresent();
    }

    /**
     * Returns where a function lies, empty where the library is too old to have it; for functions that
     * {@linkplain #has not every version} has.
     *
     * @throws NativeLibraryException if no usable library is found
     */
    public Optional<MemorySegment> optional(String function) {
        return search().open(this).symbols().find(function);
    }

    /** Looks for the library and says what was found, or what was not and why; never throws. */
    public LibraryReport report() {
        return search().report(this);
    }

    /**
     * Whether this machine has NVIDIA's driver, or somebody said where it is, whether it can be used or not: then who looks
     * for a GPU and finds none should hear why.
     */
    public static boolean hasDriver() {
        return search().hasDriver();
    }

    /**
     * What every driver is asked when it is loaded, of a version that it is said to have.
     *
     * @param version the newest CUDA that it supports as {@code cuDriverGetVersion} says it, such as 12040
     * @throws NativeLibraryException if that is too old
     */
    public static void checkDriver(int version) {
        CudaSearch.checkDriver(version);
    }

    Optional<MemorySegment> find(String function) {
        var opened = search().open(this);
        var found = opened.symbols().find(function);
        if (found.isEmpty()) {
            throw new NativeLibraryException(
                    opened.report() + " has no function " + function + "; use a newer version of " + product);
        }
        return found;
    }

    static Optional<CudaLibrary> of(String name) {
        for (var library : values()) {
            if (library.id().equals(name)) {
                return Optional.of(library);
            }
        }
        return Optional.empty();
    }

    /** Kingfisher's name for it, in properties and packages. */
    String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** What its makers call it. */
    String product() {
        return product;
    }

    /** The names of its files, the preferred first. */
    List<Soname> sonames() {
        return sonames;
    }

    /** A function that only a complete and new enough one has. */
    String symbol() {
        return symbol;
    }

    /** The lowest version of the library itself that fits. */
    List<Integer> minimum() {
        return minimum;
    }

    /** What a user should do who has none. */
    String advice() {
        return advice;
    }

    String property() {
        return "kingfisher." + id() + ".path";
    }

    String variable() {
        return "KINGFISHER_" + name() + "_PATH";
    }

    /** Libraries of this list to load before, where they are to be had: it opens them by their names, or is linked to them. */
    List<CudaLibrary> before() {
        return switch (this) {
            case CUBLAS -> List.of(CUBLASLT);
            case CUSOLVER -> List.of(CUBLASLT, CUBLAS);
            // The engines that are compiled at run time need NVRTC.
            case CUDNN -> List.of(CUBLASLT, CUBLAS, NVRTC);
            default -> List.of();
        };
    }

    /** Beginnings of the names of other files to load before, from beside the library or the wheels beside it, in order. */
    List<String> companions(Soname soname) {
        return switch (this) {
            case CUSOLVER -> List.of("libnvJitLink.so." + soname.cuda(), "libcusparse.so.12");
            case NVRTC -> List.of("libnvrtc-builtins.so." + soname.cuda());
            default -> List.of();
        };
    }

    private static CudaSearch search() {
        return TheSearch.SEARCH;
    }

    /** Made when the first library is asked for. */
    private static final class TheSearch {
        static final CudaSearch SEARCH = new CudaSearch(CudaPlaces.Environment.current());
    }
}
