package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cpu.CpuStep;
import io.kingfisher.runtime.cpu.kernels.Code.Kind;
import io.kingfisher.runtime.cpu.kernels.Code.Op;
import io.kingfisher.runtime.cpu.kernels.LoopSpec.Access;
import io.kingfisher.runtime.cpu.kernels.LoopSpec.Operand;
import io.kingfisher.runtime.cpu.kernels.LoopSpec.Result;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Reductions of elementwise expressions. How the elements are grouped depends on the shape alone, never on the number of
 * threads: lanes of single precision within a chunk, then double precision over lanes and chunks, in order.
 */
public final class ReduceKernel implements Kernel {
    /** The elements of a chunk where a reduced axis is innermost. */
    static final int CHUNK = 1 << 14;

    /** The rows of a chunk where a kept axis is innermost. */
    static final int CHUNK_ROWS = 256;

    /** The accumulators where a kept axis is innermost: they stay in the first-level cache. */
    private static final int TILE = 1024;

    /** The same where loops run across rows of memory, all of which should stay in that cache. */
    private static final int TILE_ACROSS = 128;

    /** Below this a reduced innermost axis hardly fills vectors. */
    private static final int SHORT = 64;

    private final KernelEngine engine;
    private final List<Reduce.Kind> kinds;
    private final List<DType> dtypes;
    private final Kind kind;
    private final AdaptiveLoop loop;
    private final long[] offsets;
    private final long outputs;
    private final ReducePlan plan;

    ReduceKernel(
            KernelEngine engine,
            List<Expr> exprs,
            List<Reduce.Kind> kinds,
            List<DType> dtypes,
            Shape shape,
            List<Integer> axes,
            List<View> inputs) {
        this.engine = engine;
        this.kinds = List.copyOf(kinds);
        this.dtypes = List.copyOf(dtypes);
        List<View> views = inputs.stream().map(input -> input.broadcast(shape)).toList();
        List<View> results =
                dtypes.stream().map(dtype -> output(dtype, shape, axes)).toList();
        offsets = LongStream.concat(
                        views.stream()
                                .mapToLong(view -> view.offset() * view.dtype().bytes()),
                        results.stream().mapToLong(_ -> 0))
                .toArray();
        outputs = IntStream.range(0, shape.rank())
                .filter(axis -> !axes.contains(axis))
                .mapToLong(shape::dim)
                .reduce(1, (a, b) -> a * b);
        kind = Stream.concat(views.stream(), results.stream()).anyMatch(view -> view.dtype() == DType.F64)
                ? Kind.D
                : Kind.F;
        if (shape.elements() == 0) {
            plan = null;
            loop = null;
            return;
        }
        int[] groups = new int[shape.rank()];
        axes.forEach(axis -> groups[axis] = 1);
        long[][] strides = Stream.concat(views.stream(), results.stream())
                .map(View::byteStrides)
                .toArray(long[][]::new);
        Repeated repeated = Repeated.of(Nest.of(shape.toArray(), groups, strides), views.size());
        Nest nest = repeated.nest();
        int inner = innermost(nest);
        boolean fold = nest.groups()[inner] == 1;
        List<Operand> operands = new ArrayList<>();
        for (int k = 0; k < views.size(); k++) {
            DType dtype = views.get(k).dtype();
            operands.add(new Operand(dtype, nest.access(k, inner, dtype.bytes())));
        }
        Code code = new Code();
        int[] values = Lowering.lower(code, kind, exprs);
        List<Result> made = new ArrayList<>();
        DType compute = kind == Kind.D ? DType.F64 : DType.F32;
        for (int r = 0; r < values.length; r++) {
            if (fold) {
                made.add(new Result(values[r], compute, Access.INVARIANT, kinds.get(r)));
                continue;
            }
            // Each accumulator is an operand and a result.
            int accumulator = code.load(operands.size(), kind);
            operands.add(new Operand(compute, Access.ELEMENTS));
            Op op = switch (kinds.get(r)) {
                case SUM -> Op.ADD;
                case MAX -> Op.MAX;
                case MIN -> Op.MIN;
            };
            made.add(new Result(code.binary(op, accumulator, values[r]), compute, Access.ELEMENTS, null));
        }
        loop = engine.loop(new LoopSpec(code.insts(), kind, operands, made));
        List<Integer> kept = new ArrayList<>(), reduced = new ArrayList<>();
        for (int axis = 0; axis < nest.rank(); axis++) {
            if (axis != inner) {
                (nest.groups()[axis] == 1 ? reduced : kept).add(axis);
            }
        }
        plan = new ReducePlan(
                nest.select(kept),
                nest.select(reduced),
                nest.select(List.of(inner)),
                fold,
                views.size(),
                compute.bytes(),
                inner == nest.rank() - 1 ? TILE : TILE_ACROSS,
                fold ? 1 : inner == nest.rank() - 1 ? repeated.width() : nest.extents()[inner],
                inner == nest.rank() - 1 ? repeated.lastRow() : nest.extents()[inner]);
    }

    /** The strides of an output over the whole shape: it stays where it is along reduced axes. */
    private static View output(DType dtype, Shape shape, List<Integer> axes) {
        Long[] strides = new Long[shape.rank()];
        long stride = 1;
        for (int axis = shape.rank() - 1; axis >= 0; axis--) {
            strides[axis] = axes.contains(axis) ? 0L : stride;
            stride *= axes.contains(axis) ? 1 : shape.dim(axis);
        }
        return new View(dtype, shape, List.of(strides), 0);
    }

    /** The axis to run along: the last, unless it is reduced and short and a longer one is kept. */
    private static int innermost(Nest nest) {
        int last = nest.rank() - 1;
        if (nest.groups()[last] == 0 || nest.inner() >= SHORT) {
            return last;
        }
        int best = last;
        for (int axis = 0; axis < last; axis++) {
            if (nest.groups()[axis] == 0 && nest.extents()[axis] > Math.max(SHORT, nest.extents()[best])) {
                best = axis;
            }
        }
        return best;
    }

    @Override
    public long scratchBytes() {
        return plan == null ? 0 : plan.partBytes(loop.spec()) * parts() + plan.partialBytes(kinds.size());
    }

    private int parts() {
        return MapStep.parts(
                engine.workers(),
                plan.elements() * (offsets.length + loop.spec().code().size()));
    }

    @Override
    public CpuStep bind(long... addresses) {
        long[] start = new long[offsets.length];
        for (int k = 0; k < start.length; k++) {
            start[k] = addresses[k] + offsets[k];
        }
        if (plan == null) {
            return () -> {
                for (int r = 0; r < kinds.size(); r++) {
                    DType dtype = dtypes.get(r);
                    long at = start[start.length - kinds.size() + r];
                    for (long o = 0; o < outputs; o++) {
                        Memory.set(dtype, at + o * dtype.bytes(), Folds.nothing(kinds.get(r)));
                    }
                }
            };
        }
        long scratch = addresses[addresses.length - 1];
        return new ReduceStep(engine.workers(), plan, loop.ready(), kinds, dtypes, start, scratch, parts());
    }
}
