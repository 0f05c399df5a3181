package io.kingfisher.runtime.cuda.math;

import static io.kingfisher.nativebindings.cublaslt.generated.cublaslt_h.*;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.kingfisher.nativebindings.NativeHandle;
import io.kingfisher.nativebindings.cublas.generated.cublas_h;
import io.kingfisher.nativebindings.cublaslt.CublasLt;
import io.kingfisher.nativebindings.cublaslt.generated.cublasLtMatmulHeuristicResult_t;
import io.kingfisher.nativebindings.cublaslt.generated.cublaslt_h;
import io.kingfisher.runtime.cuda.math.Blas.Matmul;
import io.kingfisher.runtime.cuda.math.Gemm.Matrix;
import io.kingfisher.runtime.cuda.math.NativeBlas.Scalars;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/** Products by cuBLASLt. */
final class NativeLt implements AutoCloseable {
    private static final int MOST_ALGORITHMS = 8;
    private static final int ALIGNMENT = 16;

    private final NativeHandle handle = CublasLt.create();
    private final Scalars scalars;

    NativeLt(Scalars scalars) {
        this.scalars = scalars;
    }

    /** Descriptors and memory that live as long as a product. */
    private static final class Owned implements AutoCloseable {
        private final Arena arena = Arena.ofShared();
        private final Deque<NativeHandle> handles = new ArrayDeque<>();

        MemorySegment description(Gemm g) {
            MemorySegment out = arena.allocate(ADDRESS);
            CublasLt.check("cublasLtMatmulDescCreate", cublasLtMatmulDescCreate(out, g.compute(), g.scale()));
            MemorySegment desc = own(new NativeHandle(
                    out.get(ADDRESS, 0),
                    "cublasLtMatmulDesc_t",
                    "cublasLtMatmulDescDestroy",
                    cublaslt_h::cublasLtMatmulDescDestroy,
                    CublasLt::check));
            set(desc, CUBLASLT_MATMUL_DESC_TRANSA(), g.transA());
            set(desc, CUBLASLT_MATMUL_DESC_TRANSB(), g.transB());
            set(desc, CUBLASLT_MATMUL_DESC_EPILOGUE(), g.epilogue());
            if (g.auxiliary() > 0) {
                CublasLt.check(
                        "cublasLtMatmulDescSetAttribute",
                        cublasLtMatmulDescSetAttribute(
                                desc,
                                CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD(),
                                arena.allocateFrom(JAVA_LONG, g.auxiliary()),
                                8));
            }
            return desc;
        }

        private void set(MemorySegment desc, int attribute, int value) {
            CublasLt.check(
                    "cublasLtMatmulDescSetAttribute",
                    cublasLtMatmulDescSetAttribute(desc, attribute, arena.allocateFrom(JAVA_INT, value), 4));
        }

        MemorySegment layout(Matrix m, int batch) {
            MemorySegment out = arena.allocate(ADDRESS);
            CublasLt.check(
                    "cublasLtMatrixLayoutCreate",
                    cublasLtMatrixLayoutCreate(out, m.type(), m.rows(), m.columns(), m.leading()));
            MemorySegment layout = own(new NativeHandle(
                    out.get(ADDRESS, 0),
                    "cublasLtMatrixLayout_t",
                    "cublasLtMatrixLayoutDestroy",
                    cublaslt_h::cublasLtMatrixLayoutDestroy,
                    CublasLt::check));
            if (batch > 1) {
                set(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT(), arena.allocateFrom(JAVA_INT, batch));
                set(layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET(), arena.allocateFrom(JAVA_LONG, m.stride()));
            }
            return layout;
        }

        private static void set(MemorySegment layout, int attribute, MemorySegment value) {
            CublasLt.check(
                    "cublasLtMatrixLayoutSetAttribute",
                    cublasLtMatrixLayoutSetAttribute(layout, attribute, value, value.byteSize()));
        }

        private MemorySegment own(NativeHandle handle) {
            handles.push(handle);
            return handle.handle();
        }

        @Override
        public void close() {
            handles.forEach(NativeHandle::close);
            handles.clear();
            if (arena.scope().isAlive()) {
                arena.close();
            }
        }
    }

    Optional<Matmul> matmul(Gemm g, long mostWorkspace) {
        Owned owned = new Owned();
        try {
            MemorySegment desc = owned.description(g);
            MemorySegment a = owned.layout(g.a(), g.batch());
            MemorySegment b = owned.layout(g.b(), g.batch());
            MemorySegment d = owned.layout(g.d(), g.batch());
            MemorySegment found = owned.arena.allocate(cublasLtMatmulHeuristicResult_t.layout(), MOST_ALGORITHMS);
            int count = heuristics(desc, a, b, d, mostWorkspace, found);
            for (int i = 0; i < count; i++) {
                MemorySegment result = found.asSlice(
                        i * cublasLtMatmulHeuristicResult_t.layout().byteSize(),
                        cublasLtMatmulHeuristicResult_t.layout());
                if (cublasLtMatmulHeuristicResult_t.state(result) == 0) {
                    return Optional.of(new Prepared(g, owned, desc, a, b, d, result));
                }
            }
        } catch (RuntimeException e) {
            owned.close();
            throw e;
        }
        owned.close();
        return Optional.empty();
    }

    private int heuristics(
            MemorySegment desc,
            MemorySegment a,
            MemorySegment b,
            MemorySegment d,
            long workspace,
            MemorySegment found) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ADDRESS);
            CublasLt.check("cublasLtMatmulPreferenceCreate", cublasLtMatmulPreferenceCreate(out));
            MemorySegment preference = out.get(ADDRESS, 0);
            try {
                prefer(
                        preference,
                        CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES(),
                        arena.allocateFrom(JAVA_LONG, workspace));
                int[] alignments = {
                    CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES(),
                    CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES(),
                    CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES(),
                    CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES()
                };
                for (int attribute : alignments) {
                    prefer(preference, attribute, arena.allocateFrom(JAVA_INT, ALIGNMENT));
                }
                MemorySegment count = arena.allocate(JAVA_INT);
                int status = cublasLtMatmulAlgoGetHeuristic(
                        handle.handle(), desc, a, b, d, d, preference, MOST_ALGORITHMS, found, count);
                if (status == cublas_h.CUBLAS_STATUS_NOT_SUPPORTED()) {
                    return 0;
                }
                CublasLt.check("cublasLtMatmulAlgoGetHeuristic", status);
                return count.get(JAVA_INT, 0);
            } finally {
                cublasLtMatmulPreferenceDestroy(preference);
            }
        }
    }

    private static void prefer(MemorySegment preference, int attribute, MemorySegment value) {
        CublasLt.check(
                "cublasLtMatmulPreferenceSetAttribute",
                cublasLtMatmulPreferenceSetAttribute(preference, attribute, value, value.byteSize()));
    }

    /** A product ready to run: everything lives in its arena. */
    private final class Prepared implements Matmul {
        private final Gemm gemm;
        private final Owned owned;
        private final MemorySegment desc;
        private final MemorySegment layoutA;
        private final MemorySegment layoutB;
        private final MemorySegment layoutD;
        private final MemorySegment algorithm;
        private final long workspaceBytes;
        private final MemorySegment biasPointer;
        private final MemorySegment auxiliaryPointer;
        private final Pointers pointers = new Pointers(5);

        Prepared(
                Gemm gemm,
                Owned owned,
                MemorySegment desc,
                MemorySegment a,
                MemorySegment b,
                MemorySegment d,
                MemorySegment result) {
            this.gemm = gemm;
            this.owned = owned;
            this.desc = desc;
            this.layoutA = a;
            this.layoutB = b;
            this.layoutD = d;
            this.algorithm = cublasLtMatmulHeuristicResult_t.algo(result);
            this.workspaceBytes = cublasLtMatmulHeuristicResult_t.workspaceSize(result);
            this.biasPointer = owned.arena.allocate(JAVA_LONG);
            this.auxiliaryPointer = owned.arena.allocate(JAVA_LONG);
        }

        @Override
        public long workspaceBytes() {
            return workspaceBytes;
        }

        @Override
        public void run(long stream, long a, long b, long d, long bias, long auxiliary, long workspace) {
            point(CUBLASLT_MATMUL_DESC_BIAS_POINTER(), biasPointer, bias);
            point(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER(), auxiliaryPointer, auxiliary);
            boolean wide = gemm.scale() == CUDA_R_64F();
            MemorySegment result = pointers.of(2, d);
            CublasLt.check(
                    "cublasLtMatmul",
                    cublasLtMatmul(
                            handle.handle(),
                            desc,
                            scalars.one(wide),
                            pointers.of(0, a),
                            layoutA,
                            pointers.of(1, b),
                            layoutB,
                            scalars.zero(wide),
                            result,
                            layoutD,
                            result,
                            layoutD,
                            algorithm,
                            pointers.of(3, workspace),
                            workspaceBytes,
                            pointers.of(4, stream)));
        }

        /** Sets an address where it is another than the last time. */
        private void point(int attribute, MemorySegment pointer, long address) {
            if (address != pointer.get(JAVA_LONG, 0)) {
                pointer.set(JAVA_LONG, 0, address);
                CublasLt.check(
                        "cublasLtMatmulDescSetAttribute", cublasLtMatmulDescSetAttribute(desc, attribute, pointer, 8));
            }
        }

        @Override
        public String what() {
            return "cuBLASLt " + gemm.m() + "x" + gemm.n() + "x" + gemm.k()
                    + (gemm.batch() > 1 ? " times " + gemm.batch() : "") + ", " + workspaceBytes
                    + " bytes of workspace";
        }

        @Override
        public void close() {
            owned.close();
        }
    }

    @Override
    public void close() {
        handle.close();
    }
}
