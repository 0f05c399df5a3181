package io.kingfisher.runtime.cuda.math;

import static io.kingfisher.nativebindings.cublaslt.generated.cublaslt_h.*;

import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.cuda.math.Gemm.Matrix;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * cuBLAS and cuBLASLt as NVIDIA documents them, on the processor: matrices by columns, element (i, j) at i + j * leading. What
 * the libraries would refuse is an {@link AssertionError}.
 */
final class EmulatedBlas implements Blas {
    private static final long WORKSPACE = 1024;

    /** Whether cuBLASLt has an algorithm. */
    boolean lt = true;

    private final Set<Long> prepared = new HashSet<>();
    private final Streams streams;

    EmulatedBlas(Streams streams) {
        this.streams = streams;
    }

    static void require(boolean condition, String what) {
        if (!condition) {
            throw new AssertionError("NVIDIA's library would refuse: " + what);
        }
    }

    static DType dtype(int type) {
        return type == CUDA_R_32F()
                ? DType.F32
                : type == CUDA_R_64F()
                        ? DType.F64
                        : type == CUDA_R_16BF() ? DType.BF16 : type == CUDA_R_16F() ? DType.F16 : null;
    }

    private static double at(DType t, long address, long element) {
        return HostNumbers.read(t, address + element * t.bytes(), 1)[0];
    }

    private static void set(DType t, long address, long element, double value) {
        HostNumbers.write(t, address + element * t.bytes(), value);
    }

    /** The combinations of types of cublasLtMatmul's table that are used, the shapes, and the leading dimensions. */
    private static void check(Gemm g) {
        boolean wide = g.d().type() == CUDA_R_64F();
        require(g.scale() == (wide ? CUDA_R_64F() : CUDA_R_32F()), "scale type");
        require(
                wide
                        ? g.compute() == CUBLAS_COMPUTE_64F()
                        : g.compute() == CUBLAS_COMPUTE_32F()
                                || g.compute() == CUBLAS_COMPUTE_32F_FAST_TF32() && g.d().type() == CUDA_R_32F(),
                "compute type");
        boolean half = g.a().type() == CUDA_R_16BF() || g.a().type() == CUDA_R_16F();
        require(g.a().type() == g.b().type(), "types of A and B");
        require(g.a().type() == g.d().type() || half && g.d().type() == CUDA_R_32F(), "type of D");
        boolean ta = g.transA() == 1, tb = g.transB() == 1;
        require(g.a().rows() == (ta ? g.k() : g.m()) && g.a().columns() == (ta ? g.m() : g.k()), "shape of A");
        require(g.b().rows() == (tb ? g.n() : g.k()) && g.b().columns() == (tb ? g.k() : g.n()), "shape of B");
        require(g.d().rows() == g.m() && g.d().columns() == g.n(), "shape of D");
        for (Matrix x : List.of(g.a(), g.b(), g.d())) {
            require(x.leading() >= x.rows() && x.rows() > 0 && x.columns() > 0, "leading dimension");
        }
    }

    private static void multiply(Gemm g, long a, long b, long d, long bias, long auxiliary) {
        DType t = dtype(g.d().type()), from = dtype(g.a().type());
        int e = g.epilogue();
        // Of the bias's gradient there is an element for each row of D, or for each column where it is B that is
        // summed.
        double[] sums = new double[Math.toIntExact(e == CUBLASLT_EPILOGUE_BGRADB() ? g.n() : g.m())];
        for (long p = 0; p < g.batch(); p++) {
            for (int i = 0; i < g.m(); i++) {
                for (int j = 0; j < g.n(); j++) {
                    double sum = 0;
                    for (long l = 0; l < g.k(); l++) {
                        long ia = g.transA() == 1 ? l + i * g.a().leading() : i + l * g.a().leading();
                        long ib = g.transB() == 1 ? j + l * g.b().leading() : l + j * g.b().leading();
                        double x = at(from, a, ia + p * g.a().stride()), y = at(from, b, ib + p * g.b().stride());
                        boolean tf32 = g.compute() == CUBLAS_COMPUTE_32F_FAST_TF32();
                        sum += tf32 ? HostNumbers.toTf32(x) * HostNumbers.toTf32(y) : x * y;
                        sums[e == CUBLASLT_EPILOGUE_BGRADB() ? j : i] += e == CUBLASLT_EPILOGUE_BGRADA() && j == 0
                                ? x
                                : e == CUBLASLT_EPILOGUE_BGRADB() && i == 0 ? y : 0;
                    }
                    double value = epilogue(g, t, sum, bias, auxiliary, i, j);
                    sums[e == CUBLASLT_EPILOGUE_BGRADB() ? j : i] += sumsD(e) ? value : 0;
                    set(t, d, i + j * g.d().leading() + p * g.d().stride(), value);
                }
            }
        }
        if (writesBias(e)) {
            HostNumbers.write(t, bias, sums);
        }
    }

    private static boolean sumsD(int epilogue) {
        return epilogue == CUBLASLT_EPILOGUE_DRELU_BGRAD() || epilogue == CUBLASLT_EPILOGUE_DGELU_BGRAD();
    }

    private static boolean writesBias(int epilogue) {
        return sumsD(epilogue) || epilogue == CUBLASLT_EPILOGUE_BGRADA() || epilogue == CUBLASLT_EPILOGUE_BGRADB();
    }

    /** By the bits of cublasLtEpilogue_t: 2 ReLU, 4 bias, 8 its gradient, 16 bias gradient, 32 GELU, 64 its gradient, 128 AUX. */
    private static double epilogue(Gemm g, DType t, double sum, long bias, long auxiliary, int i, int j) {
        int e = g.epilogue();
        // The bias is a vector with an element for each row of D.
        double x = (e & CUBLASLT_EPILOGUE_BIAS()) != 0 ? sum + at(t, bias, i) : sum;
        boolean kept = (e & 128) != 0;
        long place = i + j * g.auxiliary();
        if ((e & CUBLASLT_EPILOGUE_RELU()) != 0) {
            if (kept) {
                HostNumbers.writeBit(auxiliary, place, !(x <= 0));
            }
            return Math.max(x, 0);
        } else if ((e & CUBLASLT_EPILOGUE_GELU()) != 0) {
            if (kept) {
                set(t, auxiliary, place, x);
            }
            return PlainProduct.gelu(x);
        } else if ((e & 8) != 0) {
            return HostNumbers.readBit(auxiliary, place) ? x : 0;
        } else if ((e & 64) != 0) {
            return x * PlainProduct.slope(at(t, auxiliary, place));
        }
        return x;
    }

    /** What is said of leading dimensions at CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD. */
    private static void checkAuxiliary(Gemm g) {
        boolean kept = (g.epilogue() & 128) != 0;
        int whole = (g.epilogue() & (CUBLASLT_EPILOGUE_RELU() | 8)) != 0 ? 128 : 8;
        require(kept == (g.auxiliary() > 0), "AUX's leading dimension");
        require(g.auxiliary() % whole == 0 && (!kept || g.auxiliary() >= g.m()), "AUX's leading dimension");
        require(!kept || g.batch() == 1, "AUX of a batch without its stride");
    }

    @Override
    public Optional<Matmul> matmul(Gemm g, long mostWorkspace) {
        check(g);
        checkAuxiliary(g);
        if (!lt || g.d().type() == CUDA_R_64F() && g.epilogue() != CUBLASLT_EPILOGUE_DEFAULT()) {
            return Optional.empty();
        }
        require(mostWorkspace >= WORKSPACE, "workspace");
        return Optional.of(new Matmul() {
            @Override
            public long workspaceBytes() {
                return WORKSPACE;
            }

            @Override
            public void run(long stream, long a, long b, long d, long bias, long auxiliary, long workspace) {
                streams.enqueue(stream, () -> {
                    NativeMemory.segment(workspace, WORKSPACE).fill((byte) 0xff);
                    multiply(g, a, b, d, bias, auxiliary);
                });
                int e = g.epilogue();
                require((bias != 0) == ((e & CUBLASLT_EPILOGUE_BIAS()) != 0 || writesBias(e)), "bias pointer");
                require((auxiliary != 0) == (g.auxiliary() > 0) && auxiliary % 16 == 0, "AUX pointer");
            }

            @Override
            public String what() {
                return "emulated cuBLASLt";
            }

            @Override
            public void close() {}
        });
    }

    @Override
    public void prepare(long stream) {
        prepared.add(stream);
    }

    @Override
    public void gemm(long stream, Gemm g, long a, long b, long d) {
        check(g);
        require(g.epilogue() == CUBLASLT_EPILOGUE_DEFAULT(), "cublasGemmStridedBatchedEx has no epilogue");
        enqueue(stream, () -> multiply(g, a, b, d, 0, 0));
    }

    /** A handle, which may not be made in a capture, belongs to the stream already. */
    private void enqueue(long stream, Runnable work) {
        require(prepared.contains(stream), "a handle for stream " + stream);
        streams.enqueue(stream, work);
    }

    @Override
    public void trsm(
            long stream, DType t, int side, int uplo, int trans, int m, int n, long a, int lda, long b, int ldb) {
        enqueue(stream, () -> trsm(t, side, uplo, trans, m, n, a, lda, b, ldb));
    }

    private static void trsm(DType t, int side, int uplo, int trans, int m, int n, long a, int lda, long b, int ldb) {
        boolean left = side == 0, upper = uplo == 1, turned = trans == 1;
        int size = left ? m : n;
        require(lda >= size && ldb >= m, "leading dimension");
        // op(A)(i, j), of which only one triangle of A is read.
        double[][] op = new double[size][size];
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < size; j++) {
                if (upper ? i <= j : i >= j) {
                    op[turned ? j : i][turned ? i : j] = at(t, a, i + (long) j * lda);
                }
            }
        }
        boolean opUpper = upper != turned;
        for (int line = 0; line < (left ? n : m); line++) {
            // op(A) x = b for a column of B, or x op(A) = b for a row: op(A)^T x = b.
            for (int step = 0; step < size; step++) {
                boolean backward = left == opUpper;
                int i = backward ? size - 1 - step : step;
                double rest = at(t, b, left ? i + (long) line * ldb : line + (long) i * ldb);
                for (int l = 0; l < size; l++) {
                    double factor = left ? op[i][l] : op[l][i];
                    if (l != i && factor != 0) {
                        rest -= factor * at(t, b, left ? l + (long) line * ldb : line + (long) l * ldb);
                    }
                }
                set(t, b, left ? i + (long) line * ldb : line + (long) i * ldb, rest / op[i][i]);
            }
        }
    }

    private static long pointer(long array, int i) {
        return NativeMemory.ALL.get(java.lang.foreign.ValueLayout.JAVA_LONG, array + 8L * i);
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
            int batch) {
        enqueue(stream, () -> {
            for (int p = 0; p < batch; p++) {
                trsm(t, side, uplo, trans, m, n, pointer(a, p), lda, pointer(b, p), ldb);
            }
        });
    }

    @Override
    public void syrk(long stream, DType t, int uplo, int trans, int n, int k, long a, int lda, long c, int ldc) {
        require(lda >= (trans == 1 ? k : n) && ldc >= n, "leading dimension");
        enqueue(stream, () -> syrk(t, uplo, trans, n, k, a, lda, c, ldc));
    }

    private static void syrk(DType t, int uplo, int trans, int n, int k, long a, int lda, long c, int ldc) {
        for (int j = 0; j < n; j++) {
            for (int i = 0; i < n; i++) {
                if (uplo == 1 ? i > j : i < j) {
                    continue;
                }
                double sum = 0;
                for (int l = 0; l < k; l++) {
                    sum += trans == 1
                            ? at(t, a, l + (long) i * lda) * at(t, a, l + (long) j * lda)
                            : at(t, a, i + (long) l * lda) * at(t, a, j + (long) l * lda);
                }
                set(t, c, i + (long) j * ldc, sum);
            }
        }
    }

    @Override
    public List<String> report() {
        return List.of("emulated cuBLAS");
    }

    @Override
    public void close() {}
}
