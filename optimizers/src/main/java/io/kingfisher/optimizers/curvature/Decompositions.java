package io.kingfisher.optimizers.curvature;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Decompositions of symmetric positive semi-definite matrices, all of them in one program between the statistics of a step and
 * its update. One that fails is tried again with a ridge relative to the mean of its diagonal, then in double precision, then
 * with a larger ridge in double precision; where all fail, what was there before stays, for {@link #PATIENCE} refreshes at
 * most.
 */
public final class Decompositions implements AutoCloseable {
    /** The refreshes in a row that a matrix may go without a new decomposition. */
    public static final int PATIENCE = 5;

    /** A precision and a ridge to try. */
    private record Rung(DType dtype, double ridge) {}

    private static final List<Rung> LADDER = List.of(
            new Rung(DType.F32, 0), new Rung(DType.F32, 1e-6), new Rung(DType.F64, 1e-6), new Rung(DType.F64, 1e-4));

    /** What is made of what a program reads; mostly of matrices [groups x n x n], and the results keep their groups. */
    public sealed interface Job {
        /** What is named in messages: a layer's path and a factor. */
        String path();

        /** Records it from what the state holds. */
        Function<Graph, Value> matrix();
    }

    /** The inverse [groups x n x n], by Cholesky. */
    public record Inverse(String path, Function<Graph, Value> matrix, Tensor result) implements Job {}

    /** Eigenvalues [groups x n], ascending, negative ones as 0, and eigenvectors [groups x n x n] in columns. */
    public record Eigen(String path, Function<Graph, Value> matrix, Tensor values, Tensor vectors) implements Job {}

    /** Whatever a routine makes of the matrix; a group's results stay as they were where it failed. */
    public record Routine(String path, Function<Graph, Value> matrix, Function<Value, Outcome> routine)
            implements Job {}

    /**
     * What a routine made.
     *
     * @param info [groups]: 0 where a group succeeded
     * @param results what tensors become: groups first, or of any shape where there is one group
     */
    public record Outcome(Value info, Map<Tensor, Value> results) {}

    /** Anything else of the result's shape that belongs to the same refresh; it fails where it is not finite. */
    public record Computed(String path, Function<Graph, Value> matrix, Tensor result) implements Job {}

    private final Device device;
    private final List<Job> jobs;
    private final List<Tensor> ridges = new ArrayList<>();
    private final Map<DType, Program> programs = new EnumMap<>(DType.class);
    private final int[] failures;
    private final List<String> reports = new ArrayList<>();

    public Decompositions(Device device, List<Job> jobs) {
        this.device = device;
        this.jobs = List.copyOf(jobs);
        this.failures = new int[jobs.size()];
        jobs.forEach(_ -> ridges.add(device.allocate(DType.F32, Shape.SCALAR)));
    }

    /**
     * Makes all decompositions.
     *
     * @throws KingfisherException where one has failed {@link #PATIENCE} times in a row
     */
    public void run() {
        List<Integer> open = new ArrayList<>();
        for (int i = 0; i < jobs.size(); i++) {
            open.add(i);
        }
        for (Rung rung : LADDER) {
            if (open.isEmpty()) {
                break;
            }
            for (int i = 0; i < jobs.size(); i++) {
                ridges.get(i).set(0, open.contains(i) ? rung.ridge() : 0);
            }
            Program program = programs.computeIfAbsent(rung.dtype(), this::compile);
            program.replay();
            open.removeIf(i -> program.output("failed" + i).item() == 0);
            for (int i : open) {
                reports.add("the decomposition of " + jobs.get(i).path() + " failed in " + rung.dtype()
                        + (rung.ridge() == 0 ? "" : " with a ridge of " + rung.ridge()));
            }
        }
        for (int i = 0; i < jobs.size(); i++) {
            failures[i] = open.contains(i) ? failures[i] + 1 : 0;
            if (failures[i] == PATIENCE) {
                throw new KingfisherException("The curvature of " + jobs.get(i).path() + " could not be decomposed in "
                        + PATIENCE + " refreshes in a row; raise the damping, lower the learning rate or look at the"
                        + " layer's inputs.");
            }
        }
    }

    /** What went wrong since the last call, a line each. */
    public List<String> reports() {
        List<String> all = List.copyOf(reports);
        reports.clear();
        return all;
    }

    private Program compile(DType dtype) {
        Graph graph = new Graph();
        for (int i = 0; i < jobs.size(); i++) {
            Job job = jobs.get(i);
            try (Graph.Scope _ = graph.curvature(job.path())) {
                Value value = job.matrix().apply(graph).cast(dtype),
                        ridge = graph.read(ridges.get(i)).cast(dtype);
                Value failed = switch (job) {
                    case Inverse inverse -> invert(ridged(value, ridge), inverse.result());
                    case Eigen eigen -> decompose(ridged(value, ridge), eigen);
                    case Routine routine -> {
                        Outcome outcome = routine.routine().apply(ridged(value, ridge));
                        yield keep(outcome.info(), outcome.results());
                    }
                    case Computed computed -> keep(value, computed.result());
                };
                graph.output("failed" + i, failed);
            }
        }
        return device.compile(graph);
    }

    /** A + ridge mean(diag A) I. */
    private static Value ridged(Value a, Value ridge) {
        Graph graph = a.graph();
        long n = a.dim(-1), groups = a.dim(0);
        Value eye = Matrices.identity(graph, n, a.dtype());
        Value mean = a.mul(eye).sum(1, 2).mul(1.0 / n).reshape(groups, 1, 1);
        Expr sum = Expr.arg(0).add(Expr.arg(1).mul(Expr.arg(2)).mul(Expr.arg(3)));
        return graph.map(sum, a.dtype(), List.of(a, eye, mean, ridge));
    }

    private static Value invert(Value a, Tensor result) {
        Graph graph = a.graph();
        Node cholesky = graph.add(new LinearAlgebra.Cholesky(), a);
        Value l = cholesky.output(0);
        return keep(cholesky.output(1), Map.of(result, TriangularInverse.symmetric(l)));
    }

    private static Value decompose(Value a, Eigen job) {
        Node eigh = a.graph().add(new LinearAlgebra.Eigh(), a);
        return keep(
                eigh.output(2),
                Map.of(
                        job.values(),
                        eigh.output(0).max(a.graph().scalar(0).cast(a.dtype())),
                        job.vectors(),
                        eigh.output(1)));
    }

    private static Value keep(Value value, Tensor result) {
        Graph graph = value.graph();
        Value single = value.cast(DType.F32);
        Value finite = single.mul(0).sum().equalTo(graph.scalar(0));
        Expr chosen = Expr.select(Expr.arg(0), Expr.arg(1), Expr.arg(2));
        graph.assign(result, graph.map(chosen, finite, single, graph.before(result)));
        return graph.scalar(1).sub(finite);
    }

    /** Assigns results where their group's info is 0; how many are not. */
    private static Value keep(Value info, Map<Tensor, Value> results) {
        Graph graph = info.graph();
        Value succeeded = info.map(Expr.arg(0).equalTo(Expr.of(0))).cast(DType.F32);
        results.forEach((tensor, value) -> {
            long[] column = new long[value.rank()];
            Arrays.fill(column, 1);
            column[0] = info.dim(0);
            graph.assign(
                    tensor,
                    graph.map(
                            Expr.select(Expr.arg(0), Expr.arg(1), Expr.arg(2)),
                            succeeded.reshape(column),
                            value.cast(DType.F32),
                            graph.read(tensor)));
        });
        return graph.scalar(info.dim(0)).sub(succeeded.sum());
    }

    @Override
    public void close() {
        programs.values().forEach(Program::close);
        ridges.forEach(Tensor::close);
    }
}
