package io.kingfisher.nativebindings.cublaslt;

import static java.lang.foreign.ValueLayout.ADDRESS;

import io.kingfisher.nativebindings.CudaLibrary;
import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.nativebindings.NativeHandle;
import io.kingfisher.nativebindings.cublaslt.generated.cublaslt_h;
import java.lang.foreign.Arena;

/** cuBLASLt's statuses and handles; the calls themselves are those of {@link cublaslt_h}. */
public final class CublasLt {
    private CublasLt() {}

    /**
     * {@code cublasLtCreate}: a handle, for the context that is current on this thread.
     *
     * @throws io.kingfisher.nativebindings.NativeLibraryException if there is no usable cuBLASLt
     */
    public static NativeHandle create() {
        CudaLibrary.CUBLASLT.load();
        try (var scratch = Arena.ofConfined()) {
            var out = scratch.allocate(ADDRESS);
            check("cublasLtCreate", cublaslt_h.cublasLtCreate(out));
            return new NativeHandle(
                    out.get(ADDRESS, 0),
                    "cublasLtHandle_t",
                    "cublasLtDestroy",
                    cublaslt_h::cublasLtDestroy,
                    CublasLt::check);
        }
    }

    /**
     * Checks a status.
     *
     * @throws NativeException named after the function, if the status is not {@code CUBLAS_STATUS_SUCCESS}
     */
    public static void check(String function, int status) {
        if (status != 0) {
            throw new NativeException(
                    function,
                    status,
                    cublaslt_h.cublasLtGetStatusName(status).getString(0),
                    cublaslt_h.cublasLtGetStatusString(status).getString(0));
        }
    }
}
