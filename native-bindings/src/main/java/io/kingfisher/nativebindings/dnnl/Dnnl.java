package io.kingfisher.nativebindings.dnnl;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.kingfisher.nativebindings.Libraries;
import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * oneDNN's functions that belong to no object or run at every replay, under their C names without the prefix
 * {@code dnnl_}, and the check of its statuses.
 */
public final class Dnnl {
    private Dnnl() {}

    /** A C function that puts a new object's handle at {@code out} and returns a status. */
    @FunctionalInterface
    interface Creation {
        int call(SegmentAllocator scratch, MemorySegment out);
    }

    /**
     * {@code dnnl_primitive_execute}; allocates nothing.
     *
     * @param primitive the handle of a primitive
     * @param stream the handle of a stream
     * @param nargs how many arguments {@code args} holds
     * @param args an array of {@code dnnl_exec_arg_t}, as {@link DnnlPrimitive#arguments} makes
     * @throws NativeException if it fails
     */
    public static void primitive_execute(MemorySegment primitive, MemorySegment stream, int nargs, MemorySegment args) {
        int status = dnnl_h.dnnl_primitive_execute(primitive, stream, nargs, args);
        if (status != 0) {
            throw failure("dnnl_primitive_execute", status, "the primitive could not be executed");
        }
    }

    /**
     * {@code dnnl_sgemm}: C = alpha op(A) op(B) + beta C for row-major matrices, op(A) [m x k], op(B) [k x n]; allocates nothing
     * on the heap. It computes with the OpenMP threads of the thread that calls.
     *
     * @param transposeA whether A is [k x m], of leading dimension {@code lda}
     * @param transposeB whether B is [n x k], of leading dimension {@code ldb}
     * @throws NativeException if it fails
     */
    public static void sgemm(
            boolean transposeA,
            boolean transposeB,
            long m,
            long n,
            long k,
            float alpha,
            MemorySegment a,
            long lda,
            MemorySegment b,
            long ldb,
            float beta,
            MemorySegment c,
            long ldc) {
        int status = dnnl_h.dnnl_sgemm(
                (byte) (transposeA ? 'T' : 'N'),
                (byte) (transposeB ? 'T' : 'N'),
                m,
                n,
                k,
                alpha,
                a,
                lda,
                b,
                ldb,
                beta,
                c,
                ldc);
        if (status != 0) {
            throw failure("dnnl_sgemm", status, "the product of a " + m + " x " + k + " and a " + k + " x " + n);
        }
    }

    /** {@code dnnl_memory_set_data_handle}; allocates nothing. */
    public static void memory_set_data_handle(MemorySegment memory, MemorySegment data) {
        check("dnnl_memory_set_data_handle", dnnl_h.dnnl_memory_set_data_handle(memory, data));
    }

    /** {@code dnnl_stream_wait}; allocates nothing. */
    public static void stream_wait(MemorySegment stream) {
        check("dnnl_stream_wait", dnnl_h.dnnl_stream_wait(stream));
    }

    /** {@code dnnl_data_type_size}: the bytes of one element, 0 for {@code dnnl_data_type_undef}. */
    public static long data_type_size(int dataType) {
        Libraries.dnnl();
        return dnnl_h.dnnl_data_type_size(dataType);
    }

    /** {@code dnnl_set_primitive_cache_capacity}: how many compiled primitives oneDNN itself keeps. */
    public static void set_primitive_cache_capacity(int capacity) {
        Libraries.dnnl();
        check("dnnl_set_primitive_cache_capacity", dnnl_h.dnnl_set_primitive_cache_capacity(capacity));
    }

    /** {@code dnnl_set_verbose}: 0 silent, 1 prints every execution, 2 every creation too, to standard output. */
    public static void set_verbose(int level) {
        Libraries.dnnl();
        check("dnnl_set_verbose", dnnl_h.dnnl_set_verbose(level));
    }

    /**
     * Checks a status.
     *
     * @throws NativeException named after the function, if the status is not {@code dnnl_success}
     */
    public static void check(String function, int status) {
        if (status != 0) {
            throw failure(function, status, "see the arguments of the call, or set DNNL_VERBOSE=all to hear why");
        }
    }

    static NativeException failure(String function, int status, String explanation) {
        return new NativeException(function, status, statusName(status), explanation);
    }

    private static String statusName(int status) {
        return switch (status) {
            case 0 -> "dnnl_success";
            case 1 -> "dnnl_out_of_memory";
            case 2 -> "dnnl_invalid_arguments";
            case 3 -> "dnnl_unimplemented";
            case 4 -> "dnnl_last_impl_reached";
            case 5 -> "dnnl_runtime_error";
            case 6 -> "dnnl_not_required";
            case 7 -> "dnnl_invalid_graph";
            case 8 -> "dnnl_invalid_graph_op";
            case 9 -> "dnnl_invalid_shape";
            case 10 -> "dnnl_invalid_data_type";
            default -> "an unknown status";
        };
    }

    /** Calls a function that makes an object, and returns the object's handle. */
    static MemorySegment create(String function, Creation creation) {
        Libraries.dnnl();
        try (var scratch = Arena.ofConfined()) {
            var out = scratch.allocate(ADDRESS);
            check(function, creation.call(scratch, out));
            return out.get(ADDRESS, 0);
        }
    }

    /** A {@code dnnl_dims_t}: always twelve numbers, of which oneDNN reads as many as there are dimensions. */
    static MemorySegment dims(SegmentAllocator scratch, long[] dims) {
        if (dims == null) {
            return MemorySegment.NULL;
        }
        int most = dnnl_h.DNNL_MAX_NDIMS();
        if (dims.length > most) {
            throw new IllegalArgumentException("oneDNN has at most " + most + " dimensions, not " + dims.length);
        }
        var segment = scratch.allocate(JAVA_LONG, most);
        MemorySegment.copy(dims, 0, segment, JAVA_LONG, 0, dims.length);
        return segment;
    }

    /** The handle of an object that may be absent. */
    static MemorySegment orNull(DnnlHandle object) {
        return object == null ? MemorySegment.NULL : object.handle();
    }
}
