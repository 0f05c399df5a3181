package io.kingfisher.optimizers.matrixfree;

import static io.kingfisher.optimizers.matrixfree.Vectors.dot;
import static io.kingfisher.optimizers.matrixfree.Vectors.item;
import static io.kingfisher.optimizers.matrixfree.Vectors.plus;
import static io.kingfisher.optimizers.matrixfree.Vectors.quotient;
import static io.kingfisher.optimizers.matrixfree.Vectors.times;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * The process of Lanczos (1950): a tridiagonal matrix T with the diagonal alpha and beside it beta, whose eigenvalues are those
 * of a symmetric A as far as the start vector reaches them, the outermost first. Vectors are not made orthogonal anew, so that
 * after some tens of iterations eigenvalues come up again as copies of themselves.
 */
public final class Lanczos implements AutoCloseable {
    /**
     * One iteration.
     *
     * @param alpha v_j^T A v_j
     * @param beta the length of what is left of A v_j, which is v_(j+1) before it is normalised; 0 at the end
     */
    public record Step(double alpha, double beta) {}

    private final Device device;
    private final LinearOperator a;
    private final ProgramCache programs;
    private final Tensor v, before, beta;

    public Lanczos(Device device, long size, LinearOperator a) {
        this.device = device;
        this.a = a;
        programs = new ProgramCache(device);
        v = device.allocate(DType.F32, Shape.of(size));
        before = device.allocate(DType.F32, Shape.of(size));
        beta = device.allocate(DType.F64, Shape.SCALAR);
    }

    /** The start vector, F32 [P], to be written before {@link #begin}. */
    public Tensor start() {
        return v;
    }

    /** The vector v_j of the last step, of length 1. */
    Tensor last() {
        return before;
    }

    /** Normalises the start vector and returns its length. */
    public double begin() {
        return item(
                programs.run("begin", graph -> {
                    Value vector = graph.read(v), length = dot(vector, vector).sqrt();
                    graph.assign(v, times(quotient(graph.fill(1, DType.F64, Shape.SCALAR), length), vector));
                    graph.assign(before, graph.zeros(DType.F32, v.shape()));
                    graph.assign(beta, graph.fill(0, DType.F64, Shape.SCALAR));
                    graph.output("length", length);
                }),
                "length");
    }

    /** Goes on by one product with A. */
    public Step step() {
        Program step = programs.run("step", this::record);
        return new Step(item(step, "alpha"), item(step, "beta"));
    }

    private void record(Graph graph) {
        Value vector = graph.read(v);
        Value image = plus(a.times(vector), graph.read(beta).neg(), graph.read(before));
        Value alpha = dot(vector, image);
        Value rest = plus(image, alpha.neg(), vector), length = dot(rest, rest).sqrt();
        graph.assign(before, vector);
        graph.assign(v, times(quotient(graph.fill(1, DType.F64, Shape.SCALAR), length), rest));
        graph.assign(beta, length);
        graph.output("alpha", alpha);
        graph.output("beta", length);
    }

    /** The eigenvalues of T after some iterations from the start vector, ascending. */
    public double[] spectrum(int iterations) {
        double size = begin();
        List<Step> steps = new ArrayList<>();
        // What is left by rounding alone is no new direction.
        while (size > 0 && steps.size() < iterations && (steps.isEmpty() || !ended(steps))) {
            steps.add(step());
        }
        int n = steps.size();
        if (n == 0) {
            return new double[0];
        }
        double[] t = new double[n * n];
        for (int i = 0; i < n; i++) {
            t[i * n + i] = steps.get(i).alpha();
            if (i + 1 < n) {
                t[i * n + i + 1] = steps.get(i).beta();
                t[(i + 1) * n + i] = steps.get(i).beta();
            }
        }
        Graph graph = new Graph();
        Value matrix = graph.constant(DType.F64, Shape.of(n, n), t);
        graph.output("values", graph.add(new LinearAlgebra.Eigh(), matrix).output(0));
        try (Program program = device.compile(graph)) {
            program.replay();
            return program.output("values").doubles();
        }
    }

    private static boolean ended(List<Step> steps) {
        double largest = steps.stream()
                .mapToDouble(s -> Math.abs(s.alpha()) + s.beta())
                .max()
                .orElse(0);
        return steps.get(steps.size() - 1).beta() <= 1e-6 * largest;
    }

    @Override
    public void close() {
        programs.close();
        List.of(v, before, beta).forEach(Tensor::close);
    }
}
