package io.kingfisher.runtime.cuda.math;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.kernels.EmulatedDriver;
import io.kingfisher.runtime.cuda.kernels.KernelEmulator;
import io.kingfisher.runtime.cuda.math.MathLibraries.Attention;
import io.kingfisher.runtime.cuda.math.MathLibraries.Epilogue;
import io.kingfisher.runtime.cuda.math.MathLibraries.Factorization;
import io.kingfisher.runtime.cuda.math.MathLibraries.Precision;
import io.kingfisher.runtime.cuda.math.MathLibraries.Product;
import io.kingfisher.runtime.graph.LinearAlgebra;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * All parameters that NVIDIA's libraries get, carried out by what their documentation says, give the results of the reference
 * device. Our own kernels around them run as they are.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CudaMathLibrariesTest {
    private KernelEmulator emulator;
    private EmulatedDriver driver;
    private final HostCall.Memory memory = new HostCall.Memory() {
        @Override
        public long allocate(long bytes) {
            return driver.allocate(bytes);
        }

        @Override
        public void free(long address) {
            driver.free(address);
        }

        @Override
        public long stream() {
            return stream;
        }
    };
    private long stream;
    private EmulatedBlas blas;
    private EmulatedSolver solver;
    private CudaMathLibraries libraries;
    private MathSuite suite;

    @BeforeAll
    void open() {
        emulator = KernelEmulator.open();
    }

    @AfterAll
    void shut() {
        emulator.close();
    }

    @BeforeEach
    void make() {
        driver = new EmulatedDriver(emulator);
        stream = driver.createStream();
        blas = new EmulatedBlas(Streams.immediate());
        solver = new EmulatedSolver(Streams.immediate());
        libraries = new CudaMathLibraries(driver, driver, blas, solver, new EmulatedDnn(Streams.immediate()));
        libraries.prepare(stream);
        suite = new MathSuite(libraries, memory);
    }

    @AfterEach
    void everythingIsFreed() {
        libraries.close();
        assertEquals(0, driver.liveAllocations());
        driver.destroyStream(stream);
        driver.close();
    }

    @Test
    void products() {
        suite.products(DType.F32, Precision.FP32);
        suite.products(DType.F32, Precision.TF32);
        suite.products(DType.F64, Precision.FP32);
        suite.products(DType.BF16, Precision.FP32);
        suite.products(DType.F16, Precision.FP32);
    }

    @Test
    void withoutAnAlgorithmOfCublasLtThereIsCublas() {
        blas.lt = false;
        Product plain = new Product(DType.F32, Precision.FP32, true, false, 3, 5, 2, 2, 6, 10, Epilogue.NONE);
        assertTrue(libraries.product(plain).what().contains("cuBLAS gemm"));
        Product biased = new Product(DType.F32, Precision.FP32, false, false, 3, 5, 2, 1, 6, 10, Epilogue.BIAS);
        assertFalse(libraries.has(biased));
        var e = assertThrows(KingfisherException.class, () -> libraries.product(biased));
        assertTrue(e.getMessage().contains("has no algorithm"), e.getMessage());
        Product wide = new Product(DType.F64, Precision.FP32, false, false, 3, 5, 2, 1, 6, 10, Epilogue.BIAS);
        assertFalse(libraries.has(wide));
        assertThrows(KingfisherException.class, () -> libraries.product(wide));
    }

    @Test
    void plainProducts() {
        blas.lt = false;
        for (int transposes = 0; transposes < 4; transposes++) {
            suite.product(new Product(
                    DType.F32,
                    Precision.FP32,
                    (transposes & 1) != 0,
                    (transposes & 2) != 0,
                    3,
                    5,
                    7,
                    3,
                    21,
                    0,
                    Epilogue.NONE));
        }
    }

    @Test
    void selfProducts() {
        suite.selfProducts(DType.F32);
        suite.selfProducts(DType.F64);
    }

    @Test
    void convolutions() {
        suite.convolutions(DType.F32, Precision.FP32);
        suite.convolutions(DType.F64, Precision.FP32);
        suite.convolutions(DType.BF16, Precision.FP32);
        suite.convolutions(DType.F16, Precision.FP32);
    }

    @Test
    void attentions() {
        suite.attentions(DType.BF16);
        suite.attentions(DType.F16);
        assertTrue(libraries.has(new Attention(DType.F16, 2, 1, 3, 9, 128, 0.3, true)));
        assertFalse(libraries.has(new Attention(DType.F32, 2, 1, 3, 9, 64, 0.3, true)));
        assertFalse(libraries.has(new Attention(DType.F16, 2, 1, 3, 9, 136, 0.3, true)));
        assertFalse(libraries.has(new Attention(DType.F16, 2, 1, 3, 9, 60, 0.3, true)));
    }

    @Test
    void factorizations() {
        new FactorizationSuite(libraries, DType.F32, memory).run();
        new FactorizationSuite(libraries, DType.F64, memory).run();
    }

    @Test
    void factorizationsWithoutBatchedEigenvalues() {
        solver.batchedEigen = false;
        new FactorizationSuite(libraries, DType.F64, memory).run();
    }

    @Test
    void onlyTriangularSolvesAreCaptured() {
        List<Shape> square = List.of(Shape.of(3, 3));
        assertFalse(libraries
                .factorization(new Factorization(new LinearAlgebra.Cholesky(), DType.F32, square))
                .capturable());
        assertTrue(libraries
                .factorization(new Factorization(
                        new LinearAlgebra.TriangularSolve(true), DType.F32, List.of(Shape.of(3, 3), Shape.of(3, 2))))
                .capturable());
        assertThrows(
                KingfisherException.class,
                () -> libraries.factorization(new Factorization(new LinearAlgebra.Qr(), DType.BF16, square)));
    }
}
