package io.kingfisher.nativebindings.cusolver;

import static java.lang.foreign.ValueLayout.ADDRESS;

import io.kingfisher.nativebindings.CudaLibrary;
import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.nativebindings.NativeHandle;
import io.kingfisher.nativebindings.cusolver.generated.cusolver_h;
import java.lang.foreign.Arena;

/** cuSOLVER's statuses and handles, of its dense part; the calls themselves are those of {@link cusolver_h}. */
public final class Cusolver {
    private Cusolver() {}

    /**
     * {@code cusolverDnCreate}: a handle, for the context that is current on this thread.
     *
     * @throws io.kingfisher.nativebindings.NativeLibraryException if there is no usable cuSOLVER
     */
    public static NativeHandle create() {
        CudaLibrary.CUSOLVER.load();
        try (var scratch = Arena.ofConfined()) {
            var out = scratch.allocate(ADDRESS);
            check("cusolverDnCreate", cusolver_h.cusolverDnCreate(out));
            return new NativeHandle(
                    out.get(ADDRESS, 0),
                    "cusolverDnHandle_t",
                    "cusolverDnDestroy",
                    cusolver_h::cusolverDnDestroy,
                    Cusolver::check);
        }
    }

    /** {@code cusolverDnCreateParams}: the options of the 64-bit calls. */
    public static NativeHandle params() {
        CudaLibrary.CUSOLVER.load();
        try (var scratch = Arena.ofConfined()) {
            var out = scratch.allocate(ADDRESS);
            check("cusolverDnCreateParams", cusolver_h.cusolverDnCreateParams(out));
            return new NativeHandle(
                    out.get(ADDRESS, 0),
                    "cusolverDnParams_t",
                    "cusolverDnDestroyParams",
                    cusolver_h::cusolverDnDestroyParams,
                    Cusolver::check);
        }
    }

    /**
     * Checks a status; a factorization that fails for its matrix says so in the number on the device instead.
     *
     * @throws NativeException named after the function, if the status is not {@code CUSOLVER_STATUS_SUCCESS}
     */
    public static void check(String function, int status) {
        if (status != 0) {
            throw new NativeException(function, status, statusName(status), explanation(status));
        }
    }

    /** cuSOLVER has no function that names a status. */
    private static String statusName(int status) {
        return switch (status) {
            case 1 -> "CUSOLVER_STATUS_NOT_INITIALIZED";
            case 2 -> "CUSOLVER_STATUS_ALLOC_FAILED";
            case 3 -> "CUSOLVER_STATUS_INVALID_VALUE";
            case 4 -> "CUSOLVER_STATUS_ARCH_MISMATCH";
            case 5 -> "CUSOLVER_STATUS_MAPPING_ERROR";
            case 6 -> "CUSOLVER_STATUS_EXECUTION_FAILED";
            case 7 -> "CUSOLVER_STATUS_INTERNAL_ERROR";
            case 8 -> "CUSOLVER_STATUS_MATRIX_TYPE_NOT_SUPPORTED";
            case 9 -> "CUSOLVER_STATUS_NOT_SUPPORTED";
            default -> "an unknown status";
        };
    }

    private static String explanation(int status) {
        return switch (status) {
            case 1 -> "the library could not be started, or the context is lost; see the error before this one";
            case 2 -> "there was not enough memory on the device or the host";
            case 3 -> "see the arguments of the call";
            case 9 -> "this version of cuSOLVER cannot do it; use a newer one";
            default ->
                "the work on the device failed, or a call before it did; run with KINGFISHER_DEBUG=sync to find it";
        };
    }
}
