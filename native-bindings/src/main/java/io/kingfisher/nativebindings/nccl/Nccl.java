package io.kingfisher.nativebindings.nccl;

import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.nativebindings.nccl.generated.nccl_h;
import java.lang.foreign.MemorySegment;

/** NCCL's results; the calls themselves are those of {@link nccl_h}. */
public final class Nccl {
    private Nccl() {}

    /**
     * Checks a result.
     *
     * @throws NativeException named after the function, with what NCCL says went wrong, if the result is not
     *     {@code ncclSuccess}
     */
    public static void check(String function, int result) {
        if (result != 0) {
            var last = nccl_h.ncclGetLastError(MemorySegment.NULL).getString(0).strip();
            throw new NativeException(
                    function,
                    result,
                    resultName(result),
                    nccl_h.ncclGetErrorString(result).getString(0)
                            + (last.isEmpty() ? "; set NCCL_DEBUG=INFO to hear why" : ": " + last));
        }
    }

    private static String resultName(int result) {
        return switch (result) {
            case 1 -> "ncclUnhandledCudaError";
            case 2 -> "ncclSystemError";
            case 3 -> "ncclInternalError";
            case 4 -> "ncclInvalidArgument";
            case 5 -> "ncclInvalidUsage";
            case 6 -> "ncclRemoteError";
            case 7 -> "ncclInProgress";
            default -> "an unknown result";
        };
    }
}
