package io.kingfisher.runtime.cuda.math;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.cuda.KernelCompiler;
import io.kingfisher.runtime.cuda.driver.Driver;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** NVIDIA's libraries on one device, used by one thread at a time with the device's context current. */
public final class CudaMathLibraries implements MathLibraries {
    private final Driver driver;
    private final KernelCompiler compiler;
    private final Blas blas;
    private final Solver solver;
    private final Dnn dnn;
    private final Products products;
    private final Factorizations factorizations;
    private final Arena arena = Arena.ofShared();
    private final Map<Attention, Boolean> attentions = new HashMap<>();
    private final Map<Product, Boolean> epilogues = new HashMap<>();
    private final Map<DType, MatrixKernels> kernels = new EnumMap<>(DType.class);

    CudaMathLibraries(Driver driver, KernelCompiler compiler, Blas blas, Solver solver, Dnn dnn) {
        this.driver = driver;
        this.compiler = compiler;
        this.blas = blas;
        this.solver = solver;
        this.dnn = dnn;
        this.products = new Products(blas, workspace(driver.properties()));
        this.factorizations = new Factorizations(blas, solver, driver, this::kernels);
    }

    /**
     * Opens cuBLAS, cuBLASLt, cuDNN and cuSOLVER for the device whose context is current.
     *
     * @param cache a folder for what has been measured, null for none
     * @throws io.kingfisher.nativebindings.NativeLibraryException where a library is not there, and why
     */
    public static CudaMathLibraries open(Driver driver, KernelCompiler compiler, Path cache) {
        List<AutoCloseable> opened = new ArrayList<>();
        try {
            Blas blas = keep(opened, new NativeBlas(driver));
            Solver solver = keep(opened, new NativeSolver());
            Dnn dnn = keep(opened, new NativeDnn(driver, cache));
            return new CudaMathLibraries(driver, compiler, blas, solver, dnn);
        } catch (RuntimeException | Error e) {
            for (AutoCloseable library : opened.reversed()) {
                try {
                    library.close();
                } catch (Exception again) {
                    e.addSuppressed(again);
                }
            }
            throw e;
        }
    }

    private static <T extends AutoCloseable> T keep(List<AutoCloseable> opened, T library) {
        opened.add(library);
        return library;
    }

    /** NVIDIA's advice: 32 MiB on Hopper and later, 4 MiB before. */
    static long workspace(Driver.Properties properties) {
        return (properties.major() >= 9 ? 32L : 4L) << 20;
    }

    private MatrixKernels kernels(DType dtype) {
        return kernels.computeIfAbsent(dtype, t -> new MatrixKernels(driver, compiler, t, arena));
    }

    /** Asks cuBLASLt, where its documentation does not exclude the case. */
    @Override
    public boolean has(Product product) {
        return MathLibraries.super.has(product)
                && (product.epilogue() == Epilogue.NONE || epilogues.computeIfAbsent(product, products::available));
    }

    @Override
    public Call product(Product product) {
        return products.product(product);
    }

    @Override
    public Call selfProduct(SelfProduct product) {
        return products.selfProduct(product);
    }

    @Override
    public Call convolution(Conv conv) {
        boolean strict = conv.dtype() == DType.F32 && conv.precision() == Precision.FP32;
        return dnn.plan(ConvGraph.of(conv), new Dnn.Rules(!strict, conv.deterministic()))
                .map(PlanCall::new)
                .orElseThrow(() -> new KingfisherException("cuDNN has no "
                        + (conv.deterministic() ? "deterministic " : "") + "algorithm for " + conv + "."));
    }

    @Override
    public Call attention(Attention attention) {
        return call(AttentionGraph.forward(attention)).orElseThrow(() -> none(attention));
    }

    @Override
    public Call attentionGradient(Attention attention) {
        return call(AttentionGraph.backward(attention)).orElseThrow(() -> none(attention));
    }

    /** Both directions must give the same bits every time. */
    private Optional<Call> call(DnnGraph graph) {
        return dnn.plan(graph, new Dnn.Rules(true, true)).map(PlanCall::new);
    }

    private static KingfisherException none(Attention attention) {
        return new KingfisherException("cuDNN has no fused attention for " + attention + "; ask has() first.");
    }

    /** Asks cuDNN for both directions, where its documentation does not exclude the case. */
    @Override
    public boolean has(Attention attention) {
        return AttentionGraph.possible(attention, driver.properties())
                && attentions.computeIfAbsent(
                        attention, a -> available(AttentionGraph.forward(a)) && available(AttentionGraph.backward(a)));
    }

    private boolean available(DnnGraph graph) {
        Optional<Call> call = call(graph);
        call.ifPresent(Call::close);
        return call.isPresent();
    }

    @Override
    public Call factorization(Factorization factorization) {
        return factorizations.factorization(factorization);
    }

    @Override
    public void prepare(long stream) {
        blas.prepare(stream);
        solver.prepare(stream);
        dnn.prepare(stream);
    }

    @Override
    public List<String> report() {
        List<String> lines = new ArrayList<>(blas.report());
        lines.addAll(dnn.report());
        lines.addAll(solver.report());
        return lines;
    }

    @Override
    public void close() {
        dnn.close();
        solver.close();
        blas.close();
        arena.close();
    }
}
