package io.kingfisher.optimizers.matrixfree;

import static io.kingfisher.optimizers.matrixfree.Vectors.plus;
import static io.kingfisher.optimizers.matrixfree.Vectors.times;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;

/**
 * MINRES (Paige and Saunders, 1975) for A x = b with a symmetric A, indefinite ones too: of all x that the iterations reach the
 * one with the shortest residual, by plane rotations of Lanczos's tridiagonal matrix.
 */
public final class Minres implements AutoCloseable {
    private final ProgramCache programs;
    private final Lanczos lanczos;
    private final Tensor x, w, wBefore, scalars;

    public Minres(Device device, long size, LinearOperator a) {
        programs = new ProgramCache(device);
        lanczos = new Lanczos(device, size, a);
        Shape shape = Shape.of(size);
        x = device.allocate(DType.F32, shape);
        w = device.allocate(DType.F32, shape);
        wBefore = device.allocate(DType.F32, shape);
        scalars = device.allocate(DType.F64, Shape.of(4));
    }

    /** b, F32 [P], to be written before each solve, which destroys it. */
    public Tensor right() {
        return lanczos.start();
    }

    /** x, F32 [P]. */
    public Tensor solution() {
        return x;
    }

    /**
     * Solves from 0.
     *
     * @param residual the length of the residual, relative to that of b, at which the solution is good enough
     * @return the residual's length relative to that of b
     */
    public double solve(int limit, double residual) {
        if (limit < 1 || !(residual >= 0)) {
            throw new KingfisherException("MINRES needs at least 1 iteration and a residual of at least 0, not " + limit
                    + " and " + residual + ".");
        }
        List.of(x, w, wBefore).forEach(tensor -> tensor.fill(0));
        double length = lanczos.begin(), eta = length, beta = 0;
        double cosBefore = 1, cos = 1, sinBefore = 0, sin = 0;
        for (int i = 0; i < limit && Math.abs(eta) > residual * length; i++) {
            Lanczos.Step step = lanczos.step();
            double delta = cos * step.alpha() - cosBefore * sin * beta;
            double second = sin * step.alpha() + cosBefore * cos * beta, third = sinBefore * beta;
            double first = Math.hypot(delta, step.beta());
            if (!(first > 0)) {
                break;
            }
            cosBefore = cos;
            sinBefore = sin;
            cos = delta / first;
            sin = step.beta() / first;
            scalars.write(1 / first, -third / first, -second / first, cos * eta);
            programs.run("step", this::record);
            eta *= -sin;
            beta = step.beta();
        }
        return length > 0 ? Math.abs(eta) / length : 0;
    }

    private void record(Graph graph) {
        Value all = graph.read(scalars);
        Value[] s = new Value[4];
        for (int i = 0; i < s.length; i++) {
            s[i] = all.slice(0, i, i + 1).reshape(Shape.SCALAR);
        }
        Value next =
                plus(plus(times(s[0], graph.read(lanczos.last())), s[1], graph.read(wBefore)), s[2], graph.read(w));
        graph.assign(wBefore, graph.read(w));
        graph.assign(w, next);
        graph.assign(x, plus(graph.read(x), s[3], next));
    }

    @Override
    public void close() {
        programs.close();
        lanczos.close();
        List.of(x, w, wBefore, scalars).forEach(Tensor::close);
    }
}
