package io.kingfisher.runtime.cuda.math;

import static io.kingfisher.nativebindings.cusolver.generated.cusolver_h.*;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.kingfisher.nativebindings.CudaLibrary;
import io.kingfisher.nativebindings.NativeHandle;
import io.kingfisher.nativebindings.cusolver.Cusolver;
import io.kingfisher.runtime.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** cuSOLVER by way of the bindings. Results are the same every time. */
final class NativeSolver implements Solver {
    private static final MemorySegment NULL = MemorySegment.NULL;

    private final NativeHandle params = Cusolver.params();
    private final Handles handles = new Handles(NativeSolver::open);
    private final boolean syevBatched = CudaLibrary.CUSOLVER.has("cusolverDnXsyevBatched");

    private static NativeHandle open(long stream) {
        NativeHandle handle = Cusolver.create();
        try {
            Cusolver.check(
                    "cusolverDnSetStream", cusolverDnSetStream(handle.handle(), MemorySegment.ofAddress(stream)));
            if (CudaLibrary.CUSOLVER.has("cusolverDnSetDeterministicMode")) {
                Cusolver.check(
                        "cusolverDnSetDeterministicMode",
                        cusolverDnSetDeterministicMode(handle.handle(), CUSOLVER_DETERMINISTIC_RESULTS()));
            }
            return handle;
        } catch (RuntimeException e) {
            handle.close();
            throw e;
        }
    }

    private static int type(DType t) {
        return t == DType.F64 ? CUDA_R_64F() : CUDA_R_32F();
    }

    private static MemorySegment at(long address) {
        return MemorySegment.ofAddress(address);
    }

    /** Asks for sizes; sizes do not depend on the stream. */
    private interface Query {
        int ask(MemorySegment handle, MemorySegment device, MemorySegment host);
    }

    private Sizes sizes(String function, Query query) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment device = arena.allocate(JAVA_LONG), host = arena.allocate(JAVA_LONG);
            Cusolver.check(function, query.ask(handles.of(0), device, host));
            return new Sizes(device.get(JAVA_LONG, 0), host.get(JAVA_LONG, 0));
        }
    }

    @Override
    public void prepare(long stream) {
        handles.of(stream);
    }

    @Override
    public Sizes potrfSizes(DType t, int uplo, long n, long lda) {
        return sizes(
                "cusolverDnXpotrf_bufferSize",
                (h, device, host) -> cusolverDnXpotrf_bufferSize(
                        h, params.handle(), uplo, n, type(t), NULL, lda, type(t), device, host));
    }

    @Override
    public void potrf(long stream, DType t, int uplo, long n, long a, long lda, Work work, long info) {
        Cusolver.check(
                "cusolverDnXpotrf",
                cusolverDnXpotrf(
                        handles.of(stream),
                        params.handle(),
                        uplo,
                        n,
                        type(t),
                        at(a),
                        lda,
                        type(t),
                        at(work.device()),
                        work.deviceBytes(),
                        work.host(),
                        work.host().byteSize(),
                        at(info)));
    }

    @Override
    public void potrfBatched(long stream, DType t, int uplo, int n, long array, int lda, long infos, int batch) {
        MemorySegment handle = handles.of(stream);
        if (t == DType.F64) {
            Cusolver.check(
                    "cusolverDnDpotrfBatched",
                    cusolverDnDpotrfBatched(handle, uplo, n, at(array), lda, at(infos), batch));
        } else {
            Cusolver.check(
                    "cusolverDnSpotrfBatched",
                    cusolverDnSpotrfBatched(handle, uplo, n, at(array), lda, at(infos), batch));
        }
    }

    @Override
    public Sizes syevdSizes(DType t, int uplo, long n, long lda) {
        return sizes(
                "cusolverDnXsyevd_bufferSize",
                (h, device, host) -> cusolverDnXsyevd_bufferSize(
                        h,
                        params.handle(),
                        CUSOLVER_EIG_MODE_VECTOR(),
                        uplo,
                        n,
                        type(t),
                        NULL,
                        lda,
                        type(t),
                        NULL,
                        type(t),
                        device,
                        host));
    }

    @Override
    public void syevd(long stream, DType t, int uplo, long n, long a, long lda, long w, Work work, long info) {
        Cusolver.check(
                "cusolverDnXsyevd",
                cusolverDnXsyevd(
                        handles.of(stream),
                        params.handle(),
                        CUSOLVER_EIG_MODE_VECTOR(),
                        uplo,
                        n,
                        type(t),
                        at(a),
                        lda,
                        type(t),
                        at(w),
                        type(t),
                        at(work.device()),
                        work.deviceBytes(),
                        work.host(),
                        work.host().byteSize(),
                        at(info)));
    }

    @Override
    public boolean hasSyevBatched() {
        return syevBatched;
    }

    @Override
    public Sizes syevBatchedSizes(DType t, int uplo, long n, long lda, long batch) {
        return sizes(
                "cusolverDnXsyevBatched_bufferSize",
                (h, device, host) -> cusolverDnXsyevBatched_bufferSize(
                        h,
                        params.handle(),
                        CUSOLVER_EIG_MODE_VECTOR(),
                        uplo,
                        n,
                        type(t),
                        NULL,
                        lda,
                        type(t),
                        NULL,
                        type(t),
                        device,
                        host,
                        batch));
    }

    @Override
    public void syevBatched(
            long stream, DType t, int uplo, long n, long a, long lda, long w, Work work, long infos, long batch) {
        Cusolver.check(
                "cusolverDnXsyevBatched",
                cusolverDnXsyevBatched(
                        handles.of(stream),
                        params.handle(),
                        CUSOLVER_EIG_MODE_VECTOR(),
                        uplo,
                        n,
                        type(t),
                        at(a),
                        lda,
                        type(t),
                        at(w),
                        type(t),
                        at(work.device()),
                        work.deviceBytes(),
                        work.host(),
                        work.host().byteSize(),
                        at(infos),
                        batch));
    }

    @Override
    public Sizes geqrfSizes(DType t, long m, long n, long lda) {
        return sizes(
                "cusolverDnXgeqrf_bufferSize",
                (h, device, host) -> cusolverDnXgeqrf_bufferSize(
                        h, params.handle(), m, n, type(t), NULL, lda, type(t), NULL, type(t), device, host));
    }

    @Override
    public void geqrf(long stream, DType t, long m, long n, long a, long lda, long tau, Work work, long info) {
        Cusolver.check(
                "cusolverDnXgeqrf",
                cusolverDnXgeqrf(
                        handles.of(stream),
                        params.handle(),
                        m,
                        n,
                        type(t),
                        at(a),
                        lda,
                        type(t),
                        at(tau),
                        type(t),
                        at(work.device()),
                        work.deviceBytes(),
                        work.host(),
                        work.host().byteSize(),
                        at(info)));
    }

    @Override
    public Sizes orgqrSizes(DType t, int m, int n, int k, int lda) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment length = arena.allocate(JAVA_INT), handle = handles.of(0);
            if (t == DType.F64) {
                Cusolver.check(
                        "cusolverDnDorgqr_bufferSize",
                        cusolverDnDorgqr_bufferSize(handle, m, n, k, NULL, lda, NULL, length));
            } else {
                Cusolver.check(
                        "cusolverDnSorgqr_bufferSize",
                        cusolverDnSorgqr_bufferSize(handle, m, n, k, NULL, lda, NULL, length));
            }
            return new Sizes((long) length.get(JAVA_INT, 0) * t.bytes(), 0);
        }
    }

    @Override
    public void orgqr(long stream, DType t, int m, int n, int k, long a, int lda, long tau, Work work, long info) {
        MemorySegment handle = handles.of(stream);
        int length = Math.toIntExact(Math.min(work.deviceBytes() / t.bytes(), Integer.MAX_VALUE));
        if (t == DType.F64) {
            Cusolver.check(
                    "cusolverDnDorgqr",
                    cusolverDnDorgqr(handle, m, n, k, at(a), lda, at(tau), at(work.device()), length, at(info)));
        } else {
            Cusolver.check(
                    "cusolverDnSorgqr",
                    cusolverDnSorgqr(handle, m, n, k, at(a), lda, at(tau), at(work.device()), length, at(info)));
        }
    }

    @Override
    public Sizes gesvdSizes(DType t, long m, long n, long lda, long ldu, long ldvt) {
        return sizes(
                "cusolverDnXgesvd_bufferSize",
                (h, device, host) -> cusolverDnXgesvd_bufferSize(
                        h,
                        params.handle(),
                        (byte) 'S',
                        (byte) 'S',
                        m,
                        n,
                        type(t),
                        NULL,
                        lda,
                        type(t),
                        NULL,
                        type(t),
                        NULL,
                        ldu,
                        type(t),
                        NULL,
                        ldvt,
                        type(t),
                        device,
                        host));
    }

    @Override
    public void gesvd(
            long stream,
            DType t,
            long m,
            long n,
            long a,
            long lda,
            long s,
            long u,
            long ldu,
            long vt,
            long ldvt,
            Work work,
            long info) {
        Cusolver.check(
                "cusolverDnXgesvd",
                cusolverDnXgesvd(
                        handles.of(stream),
                        params.handle(),
                        (byte) 'S',
                        (byte) 'S',
                        m,
                        n,
                        type(t),
                        at(a),
                        lda,
                        type(t),
                        at(s),
                        type(t),
                        at(u),
                        ldu,
                        type(t),
                        at(vt),
                        ldvt,
                        type(t),
                        at(work.device()),
                        work.deviceBytes(),
                        work.host(),
                        work.host().byteSize(),
                        at(info)));
    }

    @Override
    public List<String> report() {
        return List.of(CudaLibrary.CUSOLVER.load().toString());
    }

    @Override
    public void close() {
        handles.close();
        params.close();
    }
}
