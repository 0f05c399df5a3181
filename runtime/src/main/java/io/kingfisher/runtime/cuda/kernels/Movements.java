package io.kingfisher.runtime.cuda.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.kernels.KernelEngine.Elementwise;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Argument;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Entry;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** Copies: views of the operands make elementwise kernels of all but padding and transposing. */
final class Movements {
    /** The side of the square that a block transposes in shared memory. */
    private static final int TILE = 32;

    private static final List<Expr> COPY = List.of(Expr.arg(0));

    private final Sources sources;
    private final Maps maps;

    Movements(Sources sources, Maps maps) {
        this.sources = sources;
        this.maps = maps;
    }

    KernelPlan plan(Movement op, List<View> inputs, List<View> outputs, KernelEngine engine) {
        View in = inputs.get(0), out = outputs.get(0);
        return switch (op) {
            case Movement.Reshape _ -> {
                Shape flat = Shape.of(out.shape().elements());
                yield engine.map(copy(View.of(new Type(in.dtype(), flat)), View.of(new Type(in.dtype(), flat))));
            }
            case Movement.Broadcast _ -> engine.map(copy(in, out));
            case Movement.Transpose(List<Integer> order) -> engine.map(copy(in.transpose(order), out));
            case Movement.Slice(List<Long> starts, List<Long> sizes) -> engine.map(copy(in.slice(starts, sizes), out));
            case Movement.Concat(int axis) -> concat(axis, inputs, out);
            case Movement.Pad(List<Long> before, List<Long> _) -> pad(before, in, out);
        };
    }

    private static Elementwise copy(View from, View to) {
        return new Elementwise(COPY, List.of(from), List.of(to));
    }

    private KernelPlan concat(int axis, List<View> inputs, View out) {
        List<Elementwise> copies = new ArrayList<>();
        List<Integer> operands = new ArrayList<>();
        long start = 0;
        for (int i = 0; i < inputs.size(); i++) {
            View in = inputs.get(i);
            List<Long> starts = new ArrayList<>(Collections.nCopies(in.shape().rank(), 0L));
            starts.set(axis, start);
            List<Long> sizes = Arrays.stream(in.shape().toArray()).boxed().toList();
            copies.add(copy(in, out.slice(starts, sizes)));
            operands.add(i);
            operands.add(inputs.size());
            start += in.shape().dim(axis);
        }
        return renumbered(maps.together(copies), operands);
    }

    /** A plan with its operands replaced by others. */
    static KernelPlan renumbered(KernelPlan plan, List<Integer> operands) {
        List<KernelLaunch> launches = plan.launches().stream()
                .map(launch -> new KernelLaunch(
                        launch.code(),
                        launch.function(),
                        launch.gridX(),
                        launch.gridY(),
                        launch.gridZ(),
                        launch.blockX(),
                        launch.sharedBytes(),
                        launch.arguments().stream()
                                .map(argument -> renumbered(argument, operands))
                                .toList()))
                .toList();
        return new KernelPlan(launches, plan.scratch(), plan.cleared());
    }

    private static Argument renumbered(Argument argument, List<Integer> operands) {
        return switch (argument) {
            case Argument.Operand(int index) -> new Argument.Operand(operands.get(index));
            case Argument.Table(List<Entry> entries) ->
                new Argument.Table(entries.stream()
                        .map(entry -> entry instanceof Entry.Address(int operand, long offset)
                                ? new Entry.Address(operands.get(operand), offset)
                                : entry)
                        .toList());
            default -> argument;
        };
    }

    /** The output's elements one by one: those of the input where they are, else 0. */
    private KernelPlan pad(List<Long> before, View in, View out) {
        long count = out.shape().elements();
        if (count == 0) {
            return KernelPlan.of();
        }
        List<Entry> axes = new ArrayList<>();
        for (int axis = 0; axis < out.shape().rank(); axis++) {
            for (long number : new long[] {
                out.shape().dim(axis),
                in.shape().dim(axis),
                before.get(axis),
                in.strides().get(axis),
                out.strides().get(axis)
            }) {
                axes.add(new Entry.Number(number));
            }
        }
        String text = "typedef " + bits(in.dtype().bytes()) + " Bits;\n\n" + sources.text("pad.cu");
        return KernelPlan.of(new KernelLaunch(
                new KernelCode("pad.cu", text),
                "pad",
                Math.toIntExact(Maps.ceil(count, 256)),
                1,
                1,
                256,
                0,
                List.of(
                        new Argument.Operand(0),
                        new Argument.Operand(1),
                        new Argument.Table(axes),
                        new Argument.Int(out.shape().rank()),
                        new Argument.Long(count),
                        new Argument.Long(in.offset()),
                        new Argument.Long(out.offset()))));
    }

    /** See {@link KernelEngine#mirror}. */
    KernelPlan mirror(DType dtype, long n, long batch) {
        long tiles = Maps.ceil(n, TILE);
        String text = "typedef " + bits(dtype.bytes()) + " Bits;\n\n" + sources.text("mirror.cu");
        return KernelPlan.of(new KernelLaunch(
                new KernelCode("mirror.cu", text),
                "mirror",
                Math.toIntExact(tiles * tiles * batch),
                1,
                1,
                256,
                0,
                List.of(new Argument.Operand(0), new Argument.Int(Math.toIntExact(n)))));
    }

    /** The unsigned type of a size. */
    private static String bits(int bytes) {
        return switch (bytes) {
            case 1 -> "unsigned char";
            case 2 -> "unsigned short";
            case 4 -> "unsigned";
            case 8 -> "unsigned long long";
            default -> throw new IllegalArgumentException("no type of " + bytes + " bytes");
        };
    }

    /** A copy that reads and writes along different axes; null where it is none. */
    KernelPlan transposed(Elementwise map) {
        if (map.results().size() != 1
                || map.inputs().size() != 1
                || !(map.results().get(0) instanceof Expr.Arg)
                || map.inputs().get(0).dtype() != map.outputs().get(0).dtype()) {
            return null;
        }
        View out = map.outputs().get(0), in = map.inputs().get(0).broadcast(out.shape());
        Space space = Space.of(out.shape(), List.of(in, out), 1);
        int last = space.last(), across = -1;
        for (int axis = 0; axis < last; axis++) {
            across = space.strides()[0][axis] == 1 ? axis : across;
        }
        boolean tiled = across >= 0
                && space.strides()[1][last] == 1
                && space.strides()[0][last] != 0
                && space.extents()[across] >= 8
                && space.extents()[last] >= 8
                && !sources.wide(space.elements())
                && space.rank() <= 4
                && !sources.wide(space.reach(0) + in.offset())
                && !sources.wide(space.reach(1) + out.offset());
        return tiled ? tiles(space, across, in, out) : null;
    }

    /** Up to two further axes, which blocks count. */
    private KernelPlan tiles(Space space, int across, View in, View out) {
        int last = space.last();
        long[] extents = {1, 1}, from = new long[2], to = new long[2];
        int next = 0;
        for (int axis = 0; axis < last; axis++) {
            if (axis != across) {
                extents[next] = space.extents()[axis];
                from[next] = space.strides()[0][axis];
                to[next++] = space.strides()[1][axis];
            }
        }
        long rows = space.extents()[across], columns = space.extents()[last];
        long tiles = Maps.ceil(rows, TILE) * Maps.ceil(columns, TILE);
        String text = "typedef " + bits(in.dtype().bytes()) + " Bits;\n\n" + sources.text("transpose.cu");
        return KernelPlan.of(new KernelLaunch(
                new KernelCode("transpose.cu", text),
                "transpose",
                Math.toIntExact(tiles * extents[0] * extents[1]),
                1,
                1,
                256,
                0,
                List.of(
                        new Argument.Operand(0),
                        new Argument.Operand(1),
                        new Argument.Int((int) rows),
                        new Argument.Int((int) columns),
                        new Argument.Int((int) extents[1]),
                        new Argument.Int((int) space.strides()[0][last]),
                        new Argument.Int((int) space.strides()[1][across]),
                        new Argument.Int((int) from[0]),
                        new Argument.Int((int) from[1]),
                        new Argument.Int((int) to[0]),
                        new Argument.Int((int) to[1]),
                        new Argument.Int((int) in.offset()),
                        new Argument.Int((int) out.offset()))));
    }
}
