package io.kingfisher.optimizers.matrixfree;

import static io.kingfisher.optimizers.matrixfree.Vectors.dot;
import static io.kingfisher.optimizers.matrixfree.Vectors.item;
import static io.kingfisher.optimizers.matrixfree.Vectors.plus;
import static io.kingfisher.optimizers.matrixfree.Vectors.quotient;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * Preconditioned conjugate gradients for A x = b with a positive definite A (Hestenes and Stiefel, 1952), as a loop on the host
 * over one program an iteration. Vectors stay on the device; the host reads a few scalars.
 */
public final class ConjugateGradients implements AutoCloseable {
    /**
     * When to stop.
     *
     * @param limit the most iterations
     * @param residual the length of the residual, relative to the first and measured by the preconditioner, at which the
     *     solution is good enough; at least 0
     * @param progress eps of Martens (2010, section 4.4): after i iterations, with k = max(10, 0.1 i), where the model m is
     *     below 0 and (m_i - m_(i-k)) / m_i below k eps; 0 for never
     */
    public record Stop(int limit, double residual, double progress) {
        public Stop {
            if (limit < 1 || !(residual >= 0) || !(progress >= 0)) {
                throw new KingfisherException(
                        "Conjugate gradients need at least 1 iteration, and a residual and a progress"
                                + " of at least 0, not " + limit + ", " + residual + " and " + progress + ".");
            }
        }
    }

    /**
     * A solution on the way.
     *
     * @param iteration counted from 1
     * @param model x^T A x / 2 - b^T x
     * @param solution valid until the next solve
     */
    public record Iterate(int iteration, double model, Tensor solution) {}

    private final Device device;
    private final LinearOperator a, preconditioner;
    private final ProgramCache programs;
    private final Shape shape;
    private final Tensor right, x, r, p, rz;
    private final List<Tensor> copies = new ArrayList<>();
    private final List<Iterate> iterates = new ArrayList<>();

    /**
     * @param size the number of unknowns
     * @param preconditioner a cheap approximation of A^-1, positive definite
     */
    public ConjugateGradients(Device device, long size, LinearOperator a, LinearOperator preconditioner) {
        this.device = device;
        this.a = a;
        this.preconditioner = preconditioner;
        programs = new ProgramCache(device);
        shape = Shape.of(size);
        right = device.allocate(DType.F32, shape);
        x = device.allocate(DType.F32, shape);
        r = device.allocate(DType.F32, shape);
        p = device.allocate(DType.F32, shape);
        rz = device.allocate(DType.F64, Shape.SCALAR);
    }

    /** Without a preconditioner. */
    public ConjugateGradients(Device device, long size, LinearOperator a) {
        this(device, size, a, v -> v);
    }

    /** b, F32 [P], to be written before a solve. */
    public Tensor right() {
        return right;
    }

    /** x, F32 [P]: where a warm solve begins, and the solution. */
    public Tensor solution() {
        return x;
    }

    /**
     * Solves.
     *
     * @param warm whether to begin at what the solution holds rather than at 0
     * @param spacing iterates are kept at the powers of this, rounded up, and at the end (Martens uses 1.3); infinite for the
     *     end alone
     * @return the iterates kept, the last one last; none where b is 0 or the first direction has no positive curvature
     */
    public List<Iterate> solve(boolean warm, Stop stop, double spacing) {
        Program start = programs.run(warm ? "warm" : "cold", graph -> start(graph, warm));
        if (!(spacing > 1)) {
            throw new KingfisherException("Iterates are kept at powers of a number above 1, not of " + spacing + ".");
        }
        double first = item(start, "rz");
        iterates.clear();
        if (!(first > 0)) {
            return List.of();
        }
        List<Double> models = new ArrayList<>(List.of(item(start, "model")));
        double next = 1;
        int kept = 0;
        for (int i = 1; i <= stop.limit(); i++) {
            Program step = programs.run("step", this::step);
            if (!(item(step, "curvature") > 0)) {
                // The step left everything as it was: A is not positive definite along the direction.
                return finish(i - 1, models, kept);
            }
            models.add(item(step, "model"));
            double left = item(step, "rz");
            boolean done = !(left > stop.residual() * stop.residual() * first) || stalled(models, i, stop.progress());
            if (done || i == stop.limit()) {
                return finish(i, models, kept);
            }
            if (i >= next) {
                keep(kept++, i, models.get(i));
                while (Math.ceil(next) <= i) {
                    next *= spacing;
                }
            }
        }
        throw new IllegalStateException("the loop ends by its limit");
    }

    private static boolean stalled(List<Double> models, int i, double progress) {
        int k = Math.max(10, i / 10);
        double now = models.get(i);
        return progress > 0 && i > k && now < 0 && (now - models.get(i - k)) / now < k * progress;
    }

    private List<Iterate> finish(int i, List<Double> models, int kept) {
        if (i > 0 && (iterates.isEmpty() || iterates.get(iterates.size() - 1).iteration() < i)) {
            keep(kept, i, models.get(i));
        }
        return List.copyOf(iterates);
    }

    private void keep(int place, int iteration, double model) {
        if (place == copies.size()) {
            copies.add(device.allocate(DType.F32, shape));
        }
        Tensor copy = copies.get(place);
        programs.run(place, graph -> graph.assign(copy, graph.read(x)));
        iterates.add(new Iterate(iteration, model, copy));
    }

    private void start(Graph graph, boolean warm) {
        Value b = graph.read(right);
        Value begin = warm ? graph.read(x) : graph.zeros(DType.F32, shape);
        Value residual = warm ? b.sub(a.times(begin)) : b;
        Value z = preconditioner.times(residual);
        Value product = dot(residual, z);
        graph.assign(x, begin);
        graph.assign(r, residual);
        graph.assign(p, z);
        graph.assign(rz, product);
        graph.output("rz", product);
        graph.output("model", model(begin, b, residual));
    }

    /** As A x = b - r. */
    private static Value model(Value x, Value b, Value r) {
        return dot(x, b.add(r)).mul(-0.5);
    }

    private void step(Graph graph) {
        Value direction = graph.read(p), image = a.times(direction), before = graph.read(rz);
        Value curvature = dot(direction, image), zero = graph.fill(0, DType.F64, Shape.SCALAR);
        Value positive = zero.lessThan(curvature);
        Value alpha = positive.select(quotient(before, curvature), zero);
        Value solution = plus(graph.read(x), alpha, direction), residual = plus(graph.read(r), alpha.neg(), image);
        Value z = preconditioner.times(residual), after = dot(residual, z);
        graph.assign(x, solution);
        graph.assign(r, residual);
        graph.assign(p, plus(z, quotient(after, before), direction));
        graph.assign(rz, after);
        graph.output("curvature", curvature);
        graph.output("rz", after);
        graph.output("model", model(solution, graph.read(right), residual));
    }

    @Override
    public void close() {
        programs.close();
        List.of(right, x, r, p, rz).forEach(Tensor::close);
        copies.forEach(Tensor::close);
    }
}
