package io.kingfisher.nativebindings.cudnn;

import static java.lang.foreign.ValueLayout.ADDRESS;

import io.kingfisher.nativebindings.CudaLibrary;
import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.nativebindings.NativeHandle;
import io.kingfisher.nativebindings.cudnn.generated.cudnn_h;
import java.lang.foreign.Arena;

/** cuDNN's statuses, handles and descriptors; the calls themselves are those of {@link cudnn_h}. */
public final class Cudnn {
    private static final int MESSAGE_BYTES = 1024;

    private Cudnn() {}

    /**
     * {@code cudnnCreate}: a handle, for the context that is current on this thread.
     *
     * @throws io.kingfisher.nativebindings.NativeLibraryException if there is no usable cuDNN
     */
    public static NativeHandle create() {
        CudaLibrary.CUDNN.load();
        try (var scratch = Arena.ofConfined()) {
            var out = scratch.allocate(ADDRESS);
            check("cudnnCreate", cudnn_h.cudnnCreate(out));
            return new NativeHandle(
                    out.get(ADDRESS, 0), "cudnnHandle_t", "cudnnDestroy", cudnn_h::cudnnDestroy, Cudnn::check);
        }
    }

    /**
     * {@code cudnnBackendCreateDescriptor}: a descriptor of the graph interface, to be given attributes and finalized.
     *
     * @param type such as {@code cudnn_h.CUDNN_BACKEND_TENSOR_DESCRIPTOR()}
     */
    public static NativeHandle descriptor(int type) {
        CudaLibrary.CUDNN.load();
        try (var scratch = Arena.ofConfined()) {
            var out = scratch.allocate(ADDRESS);
            check("cudnnBackendCreateDescriptor", cudnn_h.cudnnBackendCreateDescriptor(type, out));
            return new NativeHandle(
                    out.get(ADDRESS, 0),
                    "cudnnBackendDescriptor_t",
                    "cudnnBackendDestroyDescriptor",
                    cudnn_h::cudnnBackendDestroyDescriptor,
                    Cudnn::check);
        }
    }

    /**
     * Checks a status.
     *
     * @throws NativeException named after the function, with what cuDNN says went wrong, if the status is not
     *     {@code CUDNN_STATUS_SUCCESS}
     */
    public static void check(String function, int status) {
        if (status != 0) {
            throw new NativeException(
                    function, status, cudnn_h.cudnnGetErrorString(status).getString(0), lastMessage());
        }
    }

    /** What went wrong last on this thread; cuDNN's own reason is more exact than the status. */
    private static String lastMessage() {
        try (var scratch = Arena.ofConfined()) {
            var message = scratch.allocate(MESSAGE_BYTES);
            cudnn_h.cudnnGetLastErrorString(message, MESSAGE_BYTES);
            var text = message.getString(0).strip();
            return text.isEmpty() ? "set CUDNN_LOGLEVEL_DBG=2 and CUDNN_LOGDEST_DBG=stderr to hear why" : text;
        }
    }
}
