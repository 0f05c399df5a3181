package io.kingfisher.runtime.cuda.math;

import static io.kingfisher.runtime.cuda.math.MathLibraries.Epilogue.BIAS_GELU;
import static io.kingfisher.runtime.cuda.math.MathLibraries.Epilogue.BIAS_RELU;
import static io.kingfisher.runtime.cuda.math.MathLibraries.Epilogue.NONE;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.cuda.math.MathLibraries.Epilogue;
import io.kingfisher.runtime.cuda.math.MathLibraries.Precision;
import io.kingfisher.runtime.cuda.math.MathLibraries.Product;
import io.kingfisher.runtime.cuda.math.MathLibraries.SelfProduct;

/** Batched products of matrices. */
final class PlainProduct {
    private PlainProduct() {}

    static void run(Product p, long[] at) {
        int m = (int) p.m(), n = (int) p.n(), k = (int) p.k();
        DType t = p.dtype();
        double[] bias = p.epilogue() == NONE ? null : HostNumbers.read(t, at[2], n);
        for (long batch = 0; batch < p.batch(); batch++) {
            double[] a = HostNumbers.read(t, at[0] + batch * p.strideA() * t.bytes(), (long) m * k);
            double[] b = HostNumbers.read(t, at[1] + batch * p.strideB() * t.bytes(), (long) k * n);
            if (t == DType.F32 && p.precision() == Precision.TF32) {
                round(a);
                round(b);
            }
            double[] c = new double[m * n];
            for (int i = 0; i < m; i++) {
                for (int l = 0; l < k; l++) {
                    double left = a[p.transposeA() ? l * m + i : i * k + l];
                    for (int j = 0; j < n; j++) {
                        c[i * n + j] += left * b[p.transposeB() ? j * k + l : l * n + j];
                    }
                }
            }
            for (int i = 0; bias != null && i < c.length; i++) {
                c[i] = activated(p.epilogue(), c[i] + bias[i % n]);
            }
            HostNumbers.write(t, at[at.length - 1] + batch * m * n * t.bytes(), c);
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

    private static double activated(Epilogue epilogue, double x) {
        if (epilogue == BIAS_RELU) {
            return Math.max(x, 0);
        }
        // The libraries' GELU is the approximation with a hyperbolic tangent (Hendrycks and Gimpel, 2016).
        return epilogue == BIAS_GELU
                ? 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)))
                : x;
    }

    static void round(double[] x) {
        for (int i = 0; i < x.length; i++) {
            x[i] = HostNumbers.toTf32(x[i]);
        }
    }
}
