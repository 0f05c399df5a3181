package io.kingfisher.nativebindings.cublas;

import static java.lang.foreign.ValueLayout.ADDRESS;

import io.kingfisher.nativebindings.CudaLibrary;
import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.nativebindings.NativeHandle;
import io.kingfisher.nativebindings.cublas.generated.cublas_h;
import java.lang.foreign.Arena;

/** cuBLAS's statuses and handles; the calls themselves are those of {@link cublas_h}. */
public final class Cublas {
    private Cublas() {}

    /**
     * {@code cublasCreate_v2}: a handle, for the context that is current on this thread.
     *
     * @throws io.kingfisher.nativebindings.NativeLibraryException if there is no usable cuBLAS
     */
    public static NativeHandle create() {
        CudaLibrary.CUBLAS.load();
        try (var scratch = Arena.ofConfined()) {
            var out = scratch.allocate(ADDRESS);
            check("cublasCreate_v2", cublas_h.cublasCreate_v2(out));
            return new NativeHandle(
                    out.get(ADDRESS, 0),
                    "cublasHandle_t",
                    "cublasDestroy_v2",
                    cublas_h::cublasDestroy_v2,
                    Cublas::check);
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
                    cublas_h.cublasGetStatusName(status).getString(0),
                    cublas_h.cublasGetStatusString(status).getString(0));
        }
    }
}
