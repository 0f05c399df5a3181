package io.kingfisher.runtime.cuda.math;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.cuda.math.MathLibraries.Epilogue;
import io.kingfisher.runtime.cuda.math.MathLibraries.Precision;
import io.kingfisher.runtime.cuda.math.MathLibraries.Product;
import io.kingfisher.runtime.cuda.math.MathLibraries.SelfProduct;
import io.kingfisher.runtime.cuda.math.MathLibraries.Use;

/** Batched products of matrices. */
final class PlainProduct {
    private PlainProduct() {}

    static int operands(Product p) {
        Epilogue e = p.epilogue();
        return 3 + (e.bias() == Use.NONE ? 0 : 1) + (e.auxiliary() == Use.NONE ? 0 : 1);
    }

    static void run(Product p, long[] at) {
        int m = (int) p.m(), n = (int) p.n(), k = (int) p.k();
        DType t = p.dtype();
        Epilogue epilogue = p.epilogue();
        int next = 2;
        DType to = p.result();
        double[] bias = epilogue.bias() == Use.READ ? HostNumbers.read(to, at[next++], n) : new double[n];
        long auxiliary = epilogue.auxiliary() == Use.READ ? at[next++] : 0;
        long result = at[next++];
        auxiliary = epilogue.auxiliary() == Use.WRITTEN ? at[next++] : auxiliary;
        for (long batch = 0; batch < p.batch(); batch++) {
            double[] a = HostNumbers.read(t, at[0] + batch * p.strideA() * t.bytes(), (long) m * k);
            double[] b = HostNumbers.read(t, at[1] + batch * p.strideB() * t.bytes(), (long) k * n);
            if (t == DType.F32 && p.precision() == Precision.TF32) {
                round(a);
                round(b);
            }
            double[] c = new double[m * n];
            double[] rows = new double[m], columns = new double[n], results = new double[n];
            for (int i = 0; i < m; i++) {
                for (int l = 0; l < k; l++) {
                    double left = a[p.transposeA() ? l * m + i : i * k + l];
                    rows[i] += left;
                    for (int j = 0; j < n; j++) {
                        double right = b[p.transposeB() ? j * k + l : l * n + j];
                        c[i * n + j] += left * right;
                        columns[j] += i == 0 ? right : 0;
                    }
                }
                for (int j = 0; j < n; j++) {
                    c[i * n + j] = Epilogues.apply(p, c[i * n + j] + bias[j], auxiliary, i, j);
                    results[j] += c[i * n + j];
                }
            }
            HostNumbers.write(to, result + batch * m * n * to.bytes(), c);
            switch (epilogue) {
                case BGRAD_A -> HostNumbers.write(t, at[next], rows);
                case BGRAD_B -> HostNumbers.write(t, at[next], columns);
                case DRELU_BGRAD, DGELU_BGRAD -> HostNumbers.write(t, at[next], results);
                default -> {}
            }
        }
    }

    static void run(SelfProduct p, long[] at) {
        int n = (int) p.n(), k = (int) p.k();
        long bytes = p.dtype().bytes();
        for (long b = 0; b < p.batch(); b++) {
            double[] a = HostNumbers.read(p.dtype(), at[0] + b * n * k * bytes, (long) n * k);
            for (int i = 0; i < n; i++) {
                double[] row = new double[i + 1];
                for (int j = 0; j <= i; j++) {
                    for (int l = 0; l < k; l++) {
                        row[j] += p.transposeFirst() ? a[l * n + i] * a[l * n + j] : a[i * k + l] * a[j * k + l];
                    }
                }
                HostNumbers.write(p.dtype(), at[1] + (b * n + i) * n * bytes, row);
            }
        }
    }

    /** What happens to an element when it is stored. */
    private static final class Epilogues {
        static double apply(Product p, double x, long auxiliary, int row, int column) {
            return switch (p.epilogue()) {
                case NONE, BIAS, BGRAD_A, BGRAD_B -> x;
                case RELU, RELU_BIAS -> Math.max(x, 0);
                case RELU_AUX, RELU_AUX_BIAS -> {
                    HostNumbers.writeBit(auxiliary, row * p.auxiliaryLeading() + column, !(x <= 0));
                    yield Math.max(x, 0);
                }
                case GELU, GELU_BIAS -> gelu(x);
                case GELU_AUX, GELU_AUX_BIAS -> {
                    HostNumbers.write(p.dtype(), place(p, auxiliary, row, column), x);
                    yield gelu(x);
                }
                case DRELU, DRELU_BGRAD -> HostNumbers.readBit(auxiliary, row * p.auxiliaryLeading() + column) ? x : 0;
                case DGELU, DGELU_BGRAD ->
                    x * slope(HostNumbers.read(p.dtype(), place(p, auxiliary, row, column), 1)[0]);
            };
        }

        private static long place(Product p, long auxiliary, int row, int column) {
            return auxiliary + (row * p.auxiliaryLeading() + column) * p.dtype().bytes();
        }
    }

    /** The libraries' GELU is the approximation with a hyperbolic tangent (Hendrycks and Gimpel, 2016). */
    static double gelu(double x) {
        return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    }

    static double slope(double x) {
        double tanh = Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x));
        return 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh * tanh) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
    }

    static void round(double[] x) {
        for (int i = 0; i < x.length; i++) {
            x[i] = HostNumbers.toTf32(x[i]);
        }
    }
}
