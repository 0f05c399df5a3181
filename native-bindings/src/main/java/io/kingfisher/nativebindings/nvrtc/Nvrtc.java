package io.kingfisher.nativebindings.nvrtc;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.kingfisher.nativebindings.CudaLibrary;
import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.nativebindings.nvrtc.generated.nvrtc_h;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;

/** NVRTC's results and version. {@link NvrtcProgram} compiles. */
public final class Nvrtc {
    private Nvrtc() {}

    /**
     * {@code nvrtcVersion}: the CUDA version that NVRTC is of, such as {@code 13.0}.
     *
     * @throws io.kingfisher.nativebindings.NativeLibraryException if there is no usable NVRTC
     */
    public static String version() {
        return CudaLibrary.NVRTC.load().version();
    }

    /** {@code nvrtcGetSupportedArchs}: the compute capabilities that it compiles for, such as 90 for {@code sm_90}. */
    public static List<Integer> architectures() {
        CudaLibrary.NVRTC.load();
        try (var scratch = Arena.ofConfined()) {
            var count = scratch.allocate(JAVA_INT);
            check("nvrtcGetNumSupportedArchs", nvrtc_h.nvrtcGetNumSupportedArchs(count));
            var numbers = scratch.allocate(JAVA_INT, count.get(JAVA_INT, 0));
            check("nvrtcGetSupportedArchs", nvrtc_h.nvrtcGetSupportedArchs(numbers));
            return Arrays.stream(numbers.toArray(JAVA_INT)).boxed().toList();
        }
    }

    /**
     * Checks a result.
     *
     * @throws NativeException named after the function, if the result is not {@code NVRTC_SUCCESS}
     */
    public static void check(String function, int result) {
        if (result != 0) {
            throw failure(function, result, "see the arguments of the call");
        }
    }

    static NativeException failure(String function, int result, String explanation) {
        return new NativeException(
                function, result, nvrtc_h.nvrtcGetErrorString(result).getString(0), explanation);
    }
}
