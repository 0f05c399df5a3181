package io.kingfisher.runtime.cuda.math;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.math.MathLibraries.Factorization;
import io.kingfisher.runtime.graph.LinearAlgebra;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Checks factorizations by what defines them, on host memory. */
final class FactorizationSuite {
    private final MathLibraries libraries;
    private final DType t;
    private final SplittableRandom random = new SplittableRandom(9);

    private final HostCall.Memory memory;

    FactorizationSuite(MathLibraries libraries, DType t, HostCall.Memory memory) {
        this.libraries = libraries;
        this.memory = memory;
        this.t = t;
    }

    void run() {
        for (int n : new int[] {1, 2, 5, 17, 40}) {
            for (int batch : new int[] {1, 3}) {
                cholesky(n, batch);
                eigenvalues(n, batch);
                solve(n, batch, 1, false);
                solve(n, batch, 4, true);
            }
        }
        for (int[] s : new int[][] {{1, 1}, {5, 3}, {3, 5}, {1, 4}, {4, 1}, {17, 17}, {40, 17}, {17, 40}}) {
            for (int batch : new int[] {1, 3}) {
                rectangular(s[0], s[1], batch);
            }
        }
        failures();
    }

    void choleskyAndSolves() {
        for (int n : new int[] {1, 5, 17}) {
            for (int batch : new int[] {1, 3}) {
                cholesky(n, batch);
                solve(n, batch, 1, false);
                solve(n, batch, 4, true);
            }
        }
    }

    private double[] numbers(int count) {
        return random.doubles(count, -1, 1).map(x -> Math.rint(x * 1024) / 1024).toArray();
    }

    private static Shape shape(int batch, int m, int n) {
        return batch == 1 ? Shape.of(m, n) : Shape.of(batch, m, n);
    }

    private Call call(LinearAlgebra op, Shape... operands) {
        return libraries.factorization(new Factorization(op, t, List.of(operands)));
    }

    /** Symmetric where its lower part is read; the upper part is spoilt. */
    private double[] symmetric(int n, int batch, double diagonal) {
        double[] a = numbers(batch * n * n);
        for (int b = 0; b < batch; b++) {
            for (int i = 0; i < n; i++) {
                a[(b * n + i) * n + i] += diagonal;
                Arrays.fill(a, (b * n + i) * n + i + 1, (b * n + i + 1) * n, Double.NaN);
            }
        }
        return a;
    }

    private static double[] mirrored(double[] lower, int n, int b) {
        double[] a = new double[n * n];
        for (int i = 0; i < n * n; i++) {
            int row = Math.max(i / n, i % n), column = Math.min(i / n, i % n);
            a[i] = lower[(b * n + row) * n + column];
        }
        return a;
    }

    private void cholesky(int n, int batch) {
        double[] a = symmetric(n, batch, n + 1);
        try (HostCall host = new HostCall(memory)) {
            host.operand(t, a).result((long) a.length * t.bytes()).result(4L * batch);
            host.run(call(new LinearAlgebra.Cholesky(), shape(batch, n, n)));
            double[] all = host.read(1, t, a.length);
            for (int b = 0; b < batch; b++) {
                assertEquals(0, host.info(2, b));
                double[] l = part(all, n * n, b);
                for (int i = 0; i < n; i++) {
                    assertTrue(l[i * n + i] > 0);
                    for (int j = i + 1; j < n; j++) {
                        assertEquals(0, l[i * n + j], "above the diagonal");
                    }
                }
                close("Cholesky " + n, mirrored(a, n, b), times(l, transposed(l, n, n), n, n, n));
            }
        }
    }

    private void eigenvalues(int n, int batch) {
        double[] s = symmetric(n, batch, 0);
        try (HostCall host = new HostCall(memory)) {
            host.operand(t, s).result((long) n * batch * t.bytes());
            host.result((long) s.length * t.bytes()).result(4L * batch);
            host.run(call(new LinearAlgebra.Eigh(), shape(batch, n, n)));
            double[] values = host.read(1, t, (long) n * batch), vectors = host.read(2, t, s.length);
            for (int b = 0; b < batch; b++) {
                assertEquals(0, host.info(3, b));
                double[] w = part(values, n, b), v = part(vectors, n * n, b);
                for (int i = 1; i < n; i++) {
                    assertTrue(w[i - 1] <= w[i], "ascending");
                }
                close("Eigh " + n, mirrored(s, n, b), times(scaled(v, w, n), transposed(v, n, n), n, n, n));
                close("eigenvectors " + n, identity(n), times(transposed(v, n, n), v, n, n, n));
            }
        }
    }

    private void solve(int n, int batch, int right, boolean transpose) {
        double[] a = symmetric(n, batch, 3), x = numbers(batch * n * right), rhs = new double[x.length];
        for (int b = 0; b < batch; b++) {
            double[] l = part(a, n * n, b);
            for (int i = 0; i < n; i++) {
                Arrays.fill(l, i * n + i + 1, i * n + n, 0);
            }
            double[] y = times(transpose ? transposed(l, n, n) : l, part(x, n * right, b), n, n, right);
            System.arraycopy(y, 0, rhs, b * n * right, y.length);
        }
        try (HostCall host = new HostCall(memory)) {
            host.operand(t, a).operand(t, rhs).result((long) x.length * t.bytes());
            host.run(call(new LinearAlgebra.TriangularSolve(transpose), shape(batch, n, n), shape(batch, n, right)));
            close("solve " + n + " " + right + " " + transpose, x, host.read(2, t, x.length));
            close("right side kept", rhs, host.read(1, t, x.length));
        }
    }

    private void rectangular(int m, int n, int batch) {
        int k = Math.min(m, n);
        double[] a = numbers(batch * m * n);
        try (HostCall host = new HostCall(memory)) {
            host.operand(t, a).result((long) batch * m * k * t.bytes()).result((long) batch * k * n * t.bytes());
            host.result(4L * batch).run(call(new LinearAlgebra.Qr(), shape(batch, m, n)));
            for (int b = 0; b < batch; b++) {
                double[] q = part(host.read(1, t, (long) batch * m * k), m * k, b);
                double[] r = part(host.read(2, t, (long) batch * k * n), k * n, b);
                assertEquals(0, host.info(3, b));
                for (int i = 0; i < k * n; i++) {
                    assertTrue(i % n >= i / n || r[i] == 0, "upper triangular");
                }
                close("QR " + m + " " + n, part(a, m * n, b), times(q, r, m, k, n));
                close("Q " + m + " " + n, identity(k), times(transposed(q, m, k), q, k, m, k));
            }
            close("operand kept", a, host.read(0, t, a.length));
        }
        try (HostCall host = new HostCall(memory)) {
            host.operand(t, a).result((long) batch * m * k * t.bytes()).result((long) batch * k * t.bytes());
            host.result((long) batch * k * n * t.bytes()).result(4L * batch);
            host.run(call(new LinearAlgebra.Svd(), shape(batch, m, n)));
            for (int b = 0; b < batch; b++) {
                double[] u = part(host.read(1, t, (long) batch * m * k), m * k, b);
                double[] s = part(host.read(2, t, (long) batch * k), k, b);
                double[] vt = part(host.read(3, t, (long) batch * k * n), k * n, b);
                assertEquals(0, host.info(4, b));
                for (int i = 0; i < k; i++) {
                    assertTrue(s[i] >= 0 && (i == 0 || s[i] <= s[i - 1]), "descending");
                }
                close("SVD " + m + " " + n, part(a, m * n, b), times(scaled(u, s, k), vt, m, k, n));
                close("U " + m + " " + n, identity(k), times(transposed(u, m, k), u, k, m, k));
                close("V " + m + " " + n, identity(k), times(vt, transposed(vt, k, n), k, n, k));
            }
            close("operand kept", a, host.read(0, t, a.length));
        }
    }

    /** The second of three matrices fails; the others do not suffer. */
    private void failures() {
        double[] a = {4, Double.NaN, 2, 5, 1, 9, 2, 1, 9, 9, 3, 9};
        try (HostCall host = new HostCall(memory)) {
            host.operand(t, a).result(12L * t.bytes()).result(12);
            host.run(call(new LinearAlgebra.Cholesky(), Shape.of(3, 2, 2)));
            assertEquals(List.of(0, 2, 0), List.of(host.info(2, 0), host.info(2, 1), host.info(2, 2)));
            double nan = Double.NaN;
            MathSuite.same(
                    "Cholesky",
                    t,
                    new double[] {2, 0, 1, 2, nan, nan, nan, nan, 3, 0, 1, Math.sqrt(8)},
                    host.read(1, t, 12));
        }
        double[] infinite = {1, 0, 0, 1, 2, 0, Double.POSITIVE_INFINITY, 3, 1, 0, 0, 5};
        for (LinearAlgebra op : List.of(new LinearAlgebra.Eigh(), new LinearAlgebra.Qr(), new LinearAlgebra.Svd())) {
            int results = op instanceof LinearAlgebra.Svd ? 3 : 2;
            try (HostCall host = new HostCall(memory)) {
                host.operand(t, infinite);
                for (int i = 0; i < results; i++) {
                    host.result(12L * t.bytes());
                }
                host.result(12).run(call(op, Shape.of(3, 2, 2)));
                for (int b = 0; b < 3; b++) {
                    assertEquals(b == 1, host.info(results + 1, b) != 0, op + " info");
                    boolean vector = op instanceof LinearAlgebra.Eigh;
                    double[] first = part(host.read(1, t, 12), vector ? 2 : 4, b);
                    for (double x : first) {
                        assertEquals(b == 1, Double.isNaN(x), op + " " + Arrays.toString(first));
                    }
                }
            }
        }
    }

    private void close(String what, double[] want, double[] got) {
        double scale = t == DType.F64 ? 1e-11 : 1e-4;
        for (int i = 0; i < want.length; i++) {
            assertEquals(want[i], got[i], scale * (1 + Math.abs(want[i])), what + " at " + i);
        }
    }

    private static double[] part(double[] all, int size, int b) {
        return Arrays.copyOfRange(all, b * size, (b + 1) * size);
    }

    private static double[] identity(int n) {
        double[] result = new double[n * n];
        for (int i = 0; i < n; i++) {
            result[i * n + i] = 1;
        }
        return result;
    }

    private static double[] scaled(double[] a, double[] columns, int n) {
        double[] result = a.clone();
        for (int i = 0; i < a.length; i++) {
            result[i] *= columns[i % n];
        }
        return result;
    }

    private static double[] transposed(double[] a, int m, int n) {
        double[] result = new double[a.length];
        for (int i = 0; i < a.length; i++) {
            result[i % n * m + i / n] = a[i];
        }
        return result;
    }

    private static double[] times(double[] a, double[] b, int m, int k, int n) {
        double[] c = new double[m * n];
        for (int i = 0; i < m; i++) {
            for (int l = 0; l < k; l++) {
                for (int j = 0; j < n; j++) {
                    c[i * n + j] += a[i * k + l] * b[l * n + j];
                }
            }
        }
        return c;
    }
}
