package io.kingfisher.nativebindings.cblas;

import static io.kingfisher.nativebindings.cblas.generated.cblas_h.CblasColMajor;
import static io.kingfisher.nativebindings.cblas.generated.cblas_h.CblasNoTrans;
import static io.kingfisher.nativebindings.cblas.generated.cblas_h.CblasRowMajor;
import static io.kingfisher.nativebindings.cblas.generated.cblas_h.CblasTrans;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.nativebindings.Libraries;
import io.kingfisher.nativebindings.cblas.generated.cblas_h;
import java.lang.foreign.Arena;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CblasTest {
    @Test
    void sgemmAgreesWithALoop() {
        int m = 5;
        int n = 3;
        int k = 11;
        var random = new Random(1);
        try (var arena = Arena.ofConfined()) {
            var a = arena.allocate(4L * m * k);
            var b = arena.allocate(4L * n * k);
            var c = arena.allocate(4L * m * n);
            for (int i = 0; i < m * k; i++) {
                a.setAtIndex(JAVA_FLOAT, i, random.nextFloat());
            }
            for (int i = 0; i < n * k; i++) {
                b.setAtIndex(JAVA_FLOAT, i, random.nextFloat());
            }
            for (int i = 0; i < m * n; i++) {
                c.setAtIndex(JAVA_FLOAT, i, 1);
            }
            Cblas.sgemm(CblasRowMajor(), CblasNoTrans(), CblasTrans(), m, n, k, 2f, a, k, b, k, 0.5f, c, n);
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    double expected = 0.5;
                    for (int l = 0; l < k; l++) {
                        expected += 2.0 * a.getAtIndex(JAVA_FLOAT, i * k + l) * b.getAtIndex(JAVA_FLOAT, j * k + l);
                    }
                    assertEquals(expected, c.getAtIndex(JAVA_FLOAT, i * n + j), 1e-5);
                }
            }
        }
    }

    @Test
    void doubleAndVectorFunctions() {
        try (var arena = Arena.ofConfined()) {
            var x = arena.allocateFrom(JAVA_DOUBLE, 1, 2, 3);
            var y = arena.allocateFrom(JAVA_DOUBLE, 4, 5, 6);
            assertEquals(32, Cblas.ddot(3, x, 1, y, 1));
            Cblas.daxpy(3, 2, x, 1, y, 1);
            assertArrayEquals(new double[] {6, 9, 12}, y.toArray(JAVA_DOUBLE));
            Cblas.dscal(3, -1, y, 1);
            assertArrayEquals(new double[] {-6, -9, -12}, y.toArray(JAVA_DOUBLE));
            var a = arena.allocateFrom(JAVA_DOUBLE, 1, 2, 3, 4, 5, 6);
            var v = arena.allocate(JAVA_DOUBLE, 2);
            Cblas.dgemv(CblasColMajor(), CblasNoTrans(), 2, 3, 1, a, 2, x, 1, 0, v, 1);
            assertArrayEquals(new double[] {22, 28}, v.toArray(JAVA_DOUBLE));
        }
    }

    @Test
    void openBlasHasItsOwnThreads() {
        var library = Libraries.openblas();
        assertTrue(library.details().startsWith("OpenBLAS"), library.details());
        assertEquals(cblas_h.OPENBLAS_THREAD(), cblas_h.openblas_get_parallel());
    }
}
