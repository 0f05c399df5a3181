package io.kingfisher.runtime.cuda.math;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.cuda.math.MathLibraries.Epilogue;
import io.kingfisher.runtime.cuda.math.MathLibraries.Precision;
import io.kingfisher.runtime.cuda.math.MathLibraries.Product;
import org.junit.jupiter.api.Test;

class PlainMathLibrariesTest {
    private final MathLibraries libraries = new PlainMathLibraries();
    private final MathSuite suite = new MathSuite(libraries, null);

    @Test
    void products() {
        suite.products(DType.F32, Precision.FP32);
        suite.products(DType.F32, Precision.TF32);
        suite.products(DType.F64, Precision.FP32);
        suite.products(DType.BF16, Precision.FP32);
        suite.products(DType.F16, Precision.FP32);
        suite.selfProducts(DType.F32);
        suite.selfProducts(DType.F64);
    }

    @Test
    void convolutions() {
        suite.convolutions(DType.F32, Precision.TF32);
        suite.convolutions(DType.F64, Precision.FP32);
    }

    @Test
    void attentions() {
        suite.attentions(DType.F32);
        suite.attentions(DType.F64);
        suite.attentions(DType.BF16);
    }

    @Test
    void factorizations() {
        new FactorizationSuite(libraries, DType.F32, null).run();
        new FactorizationSuite(libraries, DType.F64, null).run();
    }

    @Test
    void roundsFactorsToTf32() {
        Product one = new Product(DType.F32, Precision.TF32, false, false, 1, 1, 1, 1, 1, 1, Epilogue.NONE);
        try (HostCall host = new HostCall(null)) {
            host.operand(DType.F32, 1 + 0x1p-12).operand(DType.F32, 3).result(4);
            host.run(libraries.product(one));
            assertEquals(3, host.read(2, DType.F32, 1)[0]);
        }
    }

    @Test
    void refusesWhatIsWrong() {
        Product empty = new Product(DType.F32, Precision.FP32, false, false, 2, 0, 1, 1, 2, 0, Epilogue.NONE);
        var e = assertThrows(KingfisherException.class, () -> libraries.product(empty));
        assertTrue(e.getMessage().contains("empty"), e.getMessage());
        Product one = new Product(DType.F32, Precision.FP32, false, false, 1, 1, 1, 1, 1, 1, Epilogue.NONE);
        Call call = libraries.product(one);
        assertThrows(IllegalArgumentException.class, () -> call.run(1, new long[2], 256));
        assertThrows(IllegalArgumentException.class, () -> call.run(1, new long[3], 0));
        call.close();
        assertThrows(IllegalStateException.class, () -> call.run(1, new long[3], 256));
    }
}
