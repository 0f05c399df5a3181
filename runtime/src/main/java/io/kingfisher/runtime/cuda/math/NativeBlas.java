package io.kingfisher.runtime.cuda.math;

import static io.kingfisher.nativebindings.cublas.generated.cublas_h.*;

import io.kingfisher.nativebindings.CudaLibrary;
import io.kingfisher.nativebindings.NativeHandle;
import io.kingfisher.nativebindings.cublas.Cublas;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.cuda.driver.Driver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** cuBLAS and cuBLASLt by way of the bindings. */
final class NativeBlas implements Blas {
    private final Driver driver;
    private final long workspaceBytes;
    private final NativeLt lt;
    private final Arena arena = Arena.ofShared();
    private final List<Long> workspaces = new ArrayList<>();
    private final Handles handles = new Handles(this::open);
    private final Scalars scalars = new Scalars(arena);

    NativeBlas(Driver driver) {
        this.driver = driver;
        this.workspaceBytes = CudaMathLibraries.workspace(driver.properties());
        this.lt = new NativeLt(scalars);
    }

    /** One and zero on the host, in both types. */
    static final class Scalars {
        private final MemorySegment one;
        private final MemorySegment zero;
        private final MemorySegment wideOne;
        private final MemorySegment wideZero;

        Scalars(Arena arena) {
            one = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1f);
            zero = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 0f);
            wideOne = arena.allocateFrom(ValueLayout.JAVA_DOUBLE, 1.0);
            wideZero = arena.allocateFrom(ValueLayout.JAVA_DOUBLE, 0.0);
        }

        MemorySegment one(boolean wide) {
            return wide ? wideOne : one;
        }

        MemorySegment zero(boolean wide) {
            return wide ? wideZero : zero;
        }
    }

    /** Setting a stream gives a handle cuBLAS's own workspace back, so ours follows. */
    private NativeHandle open(long stream) {
        NativeHandle handle = Cublas.create();
        try {
            Cublas.check("cublasSetStream_v2", cublasSetStream_v2(handle.handle(), MemorySegment.ofAddress(stream)));
            long workspace = driver.allocate(workspaceBytes);
            workspaces.add(workspace);
            Cublas.check(
                    "cublasSetWorkspace_v2",
                    cublasSetWorkspace_v2(handle.handle(), MemorySegment.ofAddress(workspace), workspaceBytes));
            Cublas.check(
                    "cublasSetPointerMode_v2", cublasSetPointerMode_v2(handle.handle(), CUBLAS_POINTER_MODE_HOST()));
            Cublas.check("cublasSetAtomicsMode", cublasSetAtomicsMode(handle.handle(), CUBLAS_ATOMICS_NOT_ALLOWED()));
            // TF32 is asked for product by product.
            Cublas.check("cublasSetMathMode", cublasSetMathMode(handle.handle(), CUBLAS_DEFAULT_MATH()));
            return handle;
        } catch (RuntimeException e) {
            handle.close();
            throw e;
        }
    }

    @Override
    public Optional<Matmul> matmul(Gemm gemm, long mostWorkspace) {
        return lt.matmul(gemm, mostWorkspace);
    }

    @Override
    public void prepare(long stream) {
        handles.of(stream);
    }

    @Override
    public void gemm(long stream, Gemm g, long a, long b, long d) {
        boolean wide = g.scale() == CUDA_R_64F();
        Cublas.check(
                "cublasGemmStridedBatchedEx_64",
                cublasGemmStridedBatchedEx_64(
                        handles.of(stream),
                        g.transA(),
                        g.transB(),
                        g.m(),
                        g.n(),
                        g.k(),
                        scalars.one(wide),
                        MemorySegment.ofAddress(a),
                        g.a().type(),
                        g.a().leading(),
                        g.a().stride(),
                        MemorySegment.ofAddress(b),
                        g.b().type(),
                        g.b().leading(),
                        g.b().stride(),
                        scalars.zero(wide),
                        MemorySegment.ofAddress(d),
                        g.d().type(),
                        g.d().leading(),
                        g.d().stride(),
                        g.batch(),
                        g.compute(),
                        CUBLAS_GEMM_DEFAULT()));
    }

    @Override
    public void trsm(
            long stream, DType t, int side, int uplo, int trans, int m, int n, long a, int lda, long b, int ldb) {
        MemorySegment handle = handles.of(stream), left = MemorySegment.ofAddress(a);
        MemorySegment right = MemorySegment.ofAddress(b);
        int diagonal = CUBLAS_DIAG_NON_UNIT();
        if (t == DType.F64) {
            Cublas.check(
                    "cublasDtrsm_v2",
                    cublasDtrsm_v2(
                            handle, side, uplo, trans, diagonal, m, n, scalars.one(true), left, lda, right, ldb));
        } else {
            Cublas.check(
                    "cublasStrsm_v2",
                    cublasStrsm_v2(
                            handle, side, uplo, trans, diagonal, m, n, scalars.one(false), left, lda, right, ldb));
        }
    }

    @Override
    public void trsmBatched(
            long stream,
            DType t,
            int side,
            int uplo,
            int trans,
            int m,
            int n,
            long a,
            int lda,
            long b,
            int ldb,
            int count) {
        MemorySegment handle = handles.of(stream), left = MemorySegment.ofAddress(a);
        MemorySegment right = MemorySegment.ofAddress(b);
        int diagonal = CUBLAS_DIAG_NON_UNIT();
        if (t == DType.F64) {
            Cublas.check(
                    "cublasDtrsmBatched",
                    cublasDtrsmBatched(
                            handle,
                            side,
                            uplo,
                            trans,
                            diagonal,
                            m,
                            n,
                            scalars.one(true),
                            left,
                            lda,
                            right,
                            ldb,
                            count));
        } else {
            Cublas.check(
                    "cublasStrsmBatched",
                    cublasStrsmBatched(
                            handle,
                            side,
                            uplo,
                            trans,
                            diagonal,
                            m,
                            n,
                            scalars.one(false),
                            left,
                            lda,
                            right,
                            ldb,
                            count));
        }
    }

    @Override
    public void syrk(long stream, DType t, int uplo, int trans, int n, int k, long a, int lda, long c, int ldc) {
        MemorySegment handle = handles.of(stream), from = MemorySegment.ofAddress(a);
        MemorySegment to = MemorySegment.ofAddress(c);
        if (t == DType.F64) {
            Cublas.check(
                    "cublasDsyrk_v2",
                    cublasDsyrk_v2(
                            handle, uplo, trans, n, k, scalars.one(true), from, lda, scalars.zero(true), to, ldc));
        } else {
            Cublas.check(
                    "cublasSsyrk_v2",
                    cublasSsyrk_v2(
                            handle, uplo, trans, n, k, scalars.one(false), from, lda, scalars.zero(false), to, ldc));
        }
    }

    @Override
    public List<String> report() {
        return List.of(
                CudaLibrary.CUBLASLT.load().toString(),
                CudaLibrary.CUBLAS.load().toString());
    }

    @Override
    public void close() {
        handles.close();
        lt.close();
        workspaces.forEach(driver::free);
        workspaces.clear();
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
