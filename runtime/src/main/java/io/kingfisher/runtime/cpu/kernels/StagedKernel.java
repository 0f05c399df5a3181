package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cpu.CpuStep;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Exprs;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * An elementwise kernel too large for one loop (the JIT compiler refuses methods of 8000 bytes): several, one after another,
 * that hand values on in scratch memory.
 */
final class StagedKernel implements Kernel {
    /** The weight of a stage; a part weighs about what it has in operations. */
    private static final int MOST = 350;

    private final List<MapKernel> stages = new ArrayList<>();
    /** For each stage which of the inputs, intermediates and outputs it takes. */
    private final List<int[]> operands = new ArrayList<>();

    private final int inputs, outputs;
    private int intermediates;
    private final long bytes;

    private StagedKernel(
            KernelEngine engine,
            List<Expr> results,
            List<DType> dtypes,
            Shape shape,
            List<View> inputs,
            DType compute) {
        this.inputs = inputs.size();
        this.outputs = results.size();
        this.bytes = (shape.elements() * compute.bytes() + 63) / 64 * 64;
        Type intermediate = new Type(compute, shape);
        Map<Expr, Integer> stored = new IdentityHashMap<>();
        List<List<Expr>> segments = segments(results);
        for (int s = 0; s < segments.size(); s++) {
            boolean last = s == segments.size() - 1;
            List<Expr> roots = last ? results : leaving(segments, s, results);
            List<Integer> taken = new ArrayList<>();
            List<Expr> exprs = rebuild(segments.get(s), roots, stored, taken);
            List<View> views = new ArrayList<>();
            for (int operand : taken) {
                views.add(operand < this.inputs ? inputs.get(operand) : View.of(intermediate));
            }
            List<DType> types = last ? dtypes : roots.stream().map(_ -> compute).toList();
            if (!last) {
                for (Expr root : roots) {
                    stored.put(root, this.inputs + intermediates);
                    taken.add(this.inputs + intermediates++);
                }
            }
            stages.add(new MapKernel(engine, exprs, types, shape, views));
            operands.add(taken.stream().mapToInt(i -> i).toArray());
        }
    }

    /** A kernel in stages, or null where one loop holds everything. */
    static Kernel of(KernelEngine engine, List<Expr> results, List<DType> dtypes, Shape shape, List<View> inputs) {
        int weight = 0;
        for (Expr e : Exprs.ordered(results)) {
            weight += weight(e);
        }
        if (weight <= MOST) {
            return null;
        }
        boolean wide =
                Stream.concat(dtypes.stream(), inputs.stream().map(View::dtype)).anyMatch(dtype -> dtype == DType.F64);
        return new StagedKernel(engine, results, dtypes, shape, inputs, wide ? DType.F64 : DType.F32);
    }

    private static int weight(Expr e) {
        return switch (e) {
            case Expr.Const _ -> 0;
            case Expr.Arg _ -> 5;
            case Expr.Unary(Expr.UnaryOp op, Expr _) ->
                switch (op) {
                    case NEG, ABS, SQRT -> 1;
                    case SIGN, IS_FINITE, SIN, COS -> 4;
                    case FLOOR -> 12;
                    case EXP, LOG, SIGMOID -> 30;
                    case TANH, SOFTPLUS -> 45;
                    case ERF -> 55;
                };
            case Expr.Binary _, Expr.Select _ -> 2;
        };
    }

    private static List<List<Expr>> segments(List<Expr> results) {
        List<List<Expr>> segments = new ArrayList<>();
        List<Expr> segment = new ArrayList<>();
        int weight = 0;
        for (Expr e : Exprs.ordered(results)) {
            if (weight + weight(e) > MOST) {
                segments.add(segment);
                segment = new ArrayList<>();
                weight = 0;
            }
            segment.add(e);
            weight += weight(e);
        }
        segments.add(segment);
        return segments;
    }

    /** What later segments, or the results, take from a segment. */
    private static List<Expr> leaving(List<List<Expr>> segments, int s, List<Expr> results) {
        Set<Expr> needed = java.util.Collections.newSetFromMap(new IdentityHashMap<>());
        needed.addAll(results);
        for (List<Expr> later : segments.subList(s + 1, segments.size())) {
            later.forEach(e -> needed.addAll(children(e)));
        }
        return segments.get(s).stream()
                .filter(e -> needed.contains(e) && !(e instanceof Expr.Arg) && !(e instanceof Expr.Const))
                .toList();
    }

    private static List<Expr> children(Expr e) {
        return switch (e) {
            case Expr.Arg _, Expr.Const _ -> List.of();
            case Expr.Unary(Expr.UnaryOp _, Expr x) -> List.of(x);
            case Expr.Binary(Expr.BinaryOp _, Expr a, Expr b) -> List.of(a, b);
            case Expr.Select(Expr c, Expr a, Expr b) -> List.of(c, a, b);
        };
    }

    /** The roots as expressions of the operands that are then {@code taken}: inputs and intermediates. */
    private static List<Expr> rebuild(
            List<Expr> segment, List<Expr> roots, Map<Expr, Integer> stored, List<Integer> taken) {
        Map<Expr, Expr> done = new IdentityHashMap<>();
        for (Expr e : segment) {
            children(e).forEach(child -> outside(child, done, stored, taken));
            done.put(
                    e,
                    switch (e) {
                        case Expr.Arg(int index) -> argument(index, taken);
                        case Expr.Const _ -> e;
                        case Expr.Unary(Expr.UnaryOp op, Expr x) -> new Expr.Unary(op, done.get(x));
                        case Expr.Binary(Expr.BinaryOp op, Expr a, Expr b) ->
                            new Expr.Binary(op, done.get(a), done.get(b));
                        case Expr.Select(Expr c, Expr a, Expr b) ->
                            new Expr.Select(done.get(c), done.get(a), done.get(b));
                    });
        }
        roots.forEach(root -> outside(root, done, stored, taken));
        return roots.stream().map(done::get).toList();
    }

    /** Makes an operand of a part that an earlier stage computed. */
    private static void outside(Expr e, Map<Expr, Expr> done, Map<Expr, Integer> stored, List<Integer> taken) {
        if (done.containsKey(e)) {
            return;
        }
        done.put(
                e,
                switch (e) {
                    case Expr.Arg(int index) -> argument(index, taken);
                    case Expr.Const _ -> e;
                    default -> argument(stored.get(e), taken);
                });
    }

    private static Expr argument(int operand, List<Integer> taken) {
        int at = taken.indexOf(operand);
        if (at < 0) {
            taken.add(operand);
        }
        return Expr.arg(at < 0 ? taken.size() - 1 : at);
    }

    @Override
    public long scratchBytes() {
        return bytes * intermediates;
    }

    @Override
    public CpuStep bind(long... addresses) {
        CpuStep[] steps = new CpuStep[stages.size()];
        for (int s = 0; s < steps.length; s++) {
            int[] taken = operands.get(s);
            boolean last = s == steps.length - 1;
            long[] at = new long[taken.length + (last ? outputs : 0)];
            for (int k = 0; k < taken.length; k++) {
                int operand = taken[k];
                at[k] = operand < inputs
                        ? addresses[operand]
                        : addresses[inputs + outputs] + (operand - inputs) * bytes;
            }
            for (int r = 0; last && r < outputs; r++) {
                at[taken.length + r] = addresses[inputs + r];
            }
            steps[s] = stages.get(s).bind(at);
        }
        return () -> {
            for (CpuStep step : steps) {
                step.run();
            }
        };
    }
}
