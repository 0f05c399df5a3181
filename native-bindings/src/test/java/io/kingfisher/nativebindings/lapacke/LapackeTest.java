package io.kingfisher.nativebindings.lapacke;

import static io.kingfisher.nativebindings.lapacke.generated.lapacke_h.LAPACK_COL_MAJOR;
import static io.kingfisher.nativebindings.lapacke.generated.lapacke_h.LAPACK_ROW_MAJOR;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.nativebindings.HeapBytes;
import io.kingfisher.nativebindings.NativeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LapackeTest {
    private final Random random = new Random(3);

    /** A symmetric matrix with eigenvalues of 1 and more: G G' / n + I. */
    private MemorySegment positiveDefinite(Arena arena, int n) {
        var g = new double[n][n];
        for (var row : g) {
            java.util.Arrays.setAll(row, i -> random.nextGaussian());
        }
        var a = arena.allocate(4L * n * n);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                double sum = i == j ? n : 0;
                for (int l = 0; l < n; l++) {
                    sum += g[i][l] * g[j][l];
                }
                a.setAtIndex(JAVA_FLOAT, i * n + j, (float) (sum / n));
            }
        }
        return a;
    }

    private static float at(MemorySegment a, int n, int row, int column) {
        return a.getAtIndex(JAVA_FLOAT, column * n + row);
    }

    @Test
    void choleskyFactorTimesItsTransposeIsTheMatrix() {
        for (int n : new int[] {1, 2, 7, 65}) {
            try (var arena = Arena.ofConfined()) {
                var a = positiveDefinite(arena, n);
                var l = arena.allocate(a.byteSize()).copyFrom(a);
                assertEquals(0, Lapacke.spotrf_work(LAPACK_COL_MAJOR(), 'L', n, l, n));
                for (int i = 0; i < n; i++) {
                    for (int j = 0; j <= i; j++) {
                        double sum = 0;
                        for (int k = 0; k <= j; k++) {
                            sum += (double) at(l, n, i, k) * at(l, n, j, k);
                        }
                        assertEquals(at(a, n, i, j), sum, 1e-5);
                    }
                }
            }
        }
    }

    @Test
    void eigenvectorsAreEigenvectors() {
        int n = 33;
        try (var arena = Arena.ofConfined()) {
            var a = positiveDefinite(arena, n);
            var v = arena.allocate(a.byteSize()).copyFrom(a);
            var w = arena.allocate(JAVA_FLOAT, n);
            var workSize = arena.allocate(JAVA_FLOAT);
            var integerSize = arena.allocate(JAVA_INT);
            assertEquals(
                    0, Lapacke.ssyevd_work(LAPACK_COL_MAJOR(), 'V', 'L', n, v, n, w, workSize, -1, integerSize, -1));
            int lwork = (int) workSize.get(JAVA_FLOAT, 0);
            int liwork = integerSize.get(JAVA_INT, 0);
            var work = arena.allocate(JAVA_FLOAT, lwork);
            var integers = arena.allocate(JAVA_INT, liwork);
            assertEquals(
                    0, Lapacke.ssyevd_work(LAPACK_COL_MAJOR(), 'V', 'L', n, v, n, w, work, lwork, integers, liwork));
            for (int j = 0; j < n; j++) {
                assertTrue(w.getAtIndex(JAVA_FLOAT, j) >= 1 - 1e-4);
                for (int i = 0; i < n; i++) {
                    double sum = 0;
                    for (int k = 0; k < n; k++) {
                        sum += (double) at(a, n, i, k) * at(v, n, k, j);
                    }
                    assertEquals(w.getAtIndex(JAVA_FLOAT, j) * at(v, n, i, j), sum, 1e-4);
                }
            }
        }
    }

    @Test
    void singularValuesOfADiagonal() {
        try (var arena = Arena.ofConfined()) {
            var a = arena.allocateFrom(JAVA_FLOAT, 3, 0, 0, 0, -5, 0);
            var s = arena.allocate(JAVA_FLOAT, 2);
            var none = MemorySegment.NULL;
            assertEquals(0, Lapacke.sgesdd(LAPACK_ROW_MAJOR(), 'N', 2, 3, a, 3, s, none, 2, none, 3));
            assertEquals(5, s.getAtIndex(JAVA_FLOAT, 0), 1e-6);
            assertEquals(3, s.getAtIndex(JAVA_FLOAT, 1), 1e-6);
        }
    }

    @Test
    void theAlgorithmsFailureIsReturnedAndAWrongArgumentThrown() {
        try (var arena = Arena.ofConfined()) {
            var indefinite = arena.allocateFrom(JAVA_FLOAT, 1, 0, 0, -1);
            assertEquals(2, Lapacke.spotrf_work(LAPACK_COL_MAJOR(), 'L', 2, indefinite, 2));
            var e = assertThrows(
                    NativeException.class, () -> Lapacke.spotrf_work(LAPACK_COL_MAJOR(), 'X', 2, indefinite, 2));
            assertEquals("LAPACKE_spotrf_work", e.function());
            assertTrue(e.status() < 0);
            var nan = arena.allocateFrom(JAVA_FLOAT, Float.NaN);
            assertThrows(NativeException.class, () -> Lapacke.spotrf(LAPACK_COL_MAJOR(), 'L', 1, nan, 1));
        }
    }

    @Test
    void workFunctionsAllocateNothing() {
        int n = 8;
        try (var arena = Arena.ofShared()) {
            var identity = arena.allocate(4L * n * n);
            for (int i = 0; i < n; i++) {
                identity.setAtIndex(JAVA_FLOAT, i * n + i, 1);
            }
            assertEquals(
                    0, HeapBytes.ofThousandCalls(() -> Lapacke.spotrf_work(LAPACK_COL_MAJOR(), 'L', n, identity, n)));
        }
    }
}
