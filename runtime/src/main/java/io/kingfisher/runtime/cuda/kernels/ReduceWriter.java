package io.kingfisher.runtime.cuda.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Argument;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Exprs;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Writes a reduction of elementwise expressions. The threads of a block are {@code across} outputs wide and {@code along}
 * reduced elements long: neighbouring threads read neighbouring memory. Sums are formed in a fixed order: in a thread over
 * short parts and then over their sums, then over the threads, then, in a second launch, over the blocks of one output. The
 * floor is to read every element once.
 */
final class ReduceWriter {
    static final int BLOCK = 256;

    /** The parts of a thread in one block: bounds how many numbers are summed one after another. */
    private static final int PARTS = 16;

    private final Sources sources;
    private final List<Expr> exprs;
    private final List<Reduce.Kind> kinds;
    private final List<View> views;
    private final int inputs;
    private final Space kept;
    private final Space reduced;
    private final boolean wide;
    private final boolean rows;
    private final int along;
    private final int unroll;
    private final int multiprocessors;

    /** All views have the whole shape; the outputs have stride 0 along the reduced axes. */
    ReduceWriter(
            Sources sources,
            int multiprocessors,
            List<Expr> exprs,
            List<Reduce.Kind> kinds,
            Shape shape,
            List<Integer> axes,
            List<View> views) {
        this.sources = sources;
        this.multiprocessors = multiprocessors;
        this.exprs = exprs;
        this.kinds = kinds;
        this.views = views;
        this.inputs = views.size() - exprs.size();
        List<Integer> rest = IntStream.range(0, shape.rank())
                .boxed()
                .filter(axis -> !axes.contains(axis))
                .toList();
        int lead = lead(shape);
        kept = Space.of(shape, rest, views, lead);
        reduced = Space.of(shape, axes, views, lead);
        wide = MapWriter.wide(sources, kept, views)
                || MapWriter.wide(sources, reduced, views)
                || sources.wide(shape.elements());
        rows = kept.elements() <= 1 || (contiguous(reduced, lead) <= contiguous(kept, lead));
        long count = reduced.elements(), outputs = kept.elements();
        int parts = Exprs.ordered(exprs).size();
        unroll = parts <= 8 ? 16 : parts <= 24 ? 8 : 4;
        along = rows ? (count > 1024 ? BLOCK : power(count, 32)) : BLOCK / power(outputs, 32);
    }

    /** The input that is read most. */
    private int lead(Shape shape) {
        int lead = 0;
        long most = -1;
        for (int k = 0; k < inputs; k++) {
            long elements = 1;
            for (int axis = 0; axis < shape.rank(); axis++) {
                elements *= views.get(k).strides().get(axis) == 0 ? 1 : shape.dim(axis);
            }
            if (elements > most) {
                most = elements;
                lead = k;
            }
        }
        return lead;
    }

    /** The distance of an operand's neighbours along a space's innermost axis. */
    private static long contiguous(Space space, int operand) {
        long stride = space.strides()[operand][space.last()];
        return stride == 0 ? Long.MAX_VALUE : stride;
    }

    /** The smallest power of 2 that is not below a number, at most a limit. */
    private static int power(long atLeast, int limit) {
        int power = 1;
        while (power < atLeast && power < limit) {
            power *= 2;
        }
        return power;
    }

    boolean doubles() {
        return views.stream().anyMatch(view -> view.dtype() == DType.F64);
    }

    private int across() {
        return BLOCK / along;
    }

    /** How many blocks share the elements of an output. */
    long splits() {
        long count = reduced.elements();
        long needed = Maps.ceil(count, (long) along * unroll * PARTS);
        long columns = Maps.ceil(kept.elements(), across());
        long useful = Maps.ceil(count, (long) along * unroll);
        long busy = Math.min(useful, Maps.ceil(2L * multiprocessors, columns));
        return Math.clamp(Math.max(needed, busy), 1, 65535);
    }

    /** The axes of the outputs in the order in which this writer counts them. */
    Space outputs() {
        return kept;
    }

    /**
     * The launch.
     *
     * @param partial whether the results are those of one of several blocks, in the type of arithmetic, which go to scratch
     *     buffers: for each split all outputs
     */
    KernelLaunch launch(long splits, boolean partial) {
        String real = doubles() ? "double" : "float";
        Parameters parameters = new Parameters(wide);
        for (int k = 0; k < views.size(); k++) {
            boolean result = k >= inputs;
            String element =
                    result && partial ? real : Sources.element(views.get(k).dtype());
            Argument value = result && partial ? new Argument.Scratch(k - inputs) : new Argument.Operand(k);
            parameters.pointer(element, result, "p" + k, value);
        }
        String body = body(parameters, splits, partial, real);
        String name = MapWriter.name(rows ? "reduce_rows" : "reduce_columns", exprs);
        String text = Maps.prelude(sources, body, wide)
                + "extern \"C\" __global__ void __launch_bounds__(256) " + name + "(" + parameters.declarations()
                + ") {\n" + body + "}\n";
        return new KernelLaunch(
                new KernelCode(name, text),
                name,
                Math.toIntExact(Maps.ceil(kept.elements(), across())),
                (int) splits,
                1,
                BLOCK,
                0,
                parameters.arguments());
    }

    private static String identity(Reduce.Kind kind, boolean wide) {
        return switch (kind) {
            case SUM -> ExprWriter.literal(0, wide);
            case MAX -> ExprWriter.literal(Double.NEGATIVE_INFINITY, wide);
            case MIN -> ExprWriter.literal(Double.POSITIVE_INFINITY, wide);
        };
    }

    private static String combined(Reduce.Kind kind, String a, String b) {
        return switch (kind) {
            case SUM -> a + " + " + b;
            case MAX -> "maximum(" + a + ", " + b + ")";
            case MIN -> "minimum(" + a + ", " + b + ")";
        };
    }

    private String body(Parameters parameters, long splits, boolean partial, String real) {
        boolean wideReal = real.equals("double");
        parameters.index("outputs", kept.elements());
        parameters.index("count", reduced.elements());
        parameters.index("span", Maps.ceil(reduced.elements(), splits));
        StringBuilder text = new StringBuilder();
        text.append("    const int ALONG = " + along + ", ACROSS = " + across() + ", UNROLL = " + unroll + ";\n");
        text.append(
                rows
                        ? "    const int first = threadIdx.x % ALONG, column = threadIdx.x / ALONG;\n"
                        : "    const int first = threadIdx.x / ACROSS, column = threadIdx.x % ACROSS;\n");
        text.append("    const Index output = (Index) blockIdx.x * ACROSS + column;\n");
        text.append("    const Index begin = blockIdx.y * span;\n");
        text.append("    const Index end = count - begin < span ? count : begin + span;\n");
        for (int r = 0; r < exprs.size(); r++) {
            text.append("    " + real + " total" + r + " = " + identity(kinds.get(r), wideReal) + ";\n");
        }
        Walk places = new Walk(kept, "kept_", parameters);
        List<Integer> all = IntStream.range(0, views.size()).boxed().toList();
        List<Integer> read = all.subList(0, inputs), written = all.subList(inputs, views.size());
        // Splits beyond the end have nothing to add.
        text.append("    if (output < outputs && begin < count) {\n");
        text.append(places.indices("output", read, "        "));
        for (int k : read) {
            long offset = views.get(k).offset();
            String start = offset == 0 ? "" : " + " + parameters.index("start" + k, offset);
            text.append("        const Index from" + k + " = " + places.offset(k, "output") + start + ";\n");
        }
        text.append("        for (Index at = begin + first; at < end; at += ALONG * UNROLL) {\n");
        for (int r = 0; r < exprs.size(); r++) {
            text.append("            " + real + " part" + r + " = " + identity(kinds.get(r), wideReal) + ";\n");
        }
        text.append("#pragma unroll\n            for (int j = 0; j < UNROLL; j++) {\n");
        text.append("                const Index place = at + j * ALONG;\n");
        text.append("                if (place < end) {\n");
        String indent = "                    ";
        Walk walk = new Walk(reduced, "", parameters);
        text.append(walk.indices("place", read, indent));
        for (int k : read) {
            text.append(indent + "const " + real + " x" + k + " = to_" + real + "(p" + k + "[from" + k + " + "
                    + walk.offset(k, "place") + "]);\n");
        }
        ExprWriter writer = new ExprWriter(wideReal);
        List<String> values = writer.write(exprs, indent);
        text.append(writer.text());
        for (int r = 0; r < exprs.size(); r++) {
            text.append(indent + "part" + r + " = " + combined(kinds.get(r), "part" + r, values.get(r)) + ";\n");
        }
        text.append("                }\n            }\n");
        for (int r = 0; r < exprs.size(); r++) {
            text.append("            total" + r + " = " + combined(kinds.get(r), "total" + r, "part" + r) + ";\n");
        }
        text.append("        }\n    }\n");
        for (int r = 0; r < exprs.size(); r++) {
            text.append(rows ? acrossWarp(r, real) : acrossRows(r, real));
        }
        text.append("    if (first == 0 && output < outputs) {\n");
        if (partial) {
            for (int r = 0; r < exprs.size(); r++) {
                text.append(
                        "        p" + (inputs + r) + "[(size_t) blockIdx.y * outputs + output] = total" + r + ";\n");
            }
        } else {
            Walk results = new Walk(kept, "to_", parameters);
            text.append(results.indices("output", written, "        "));
            for (int k : written) {
                long offset = views.get(k).offset();
                String start = offset == 0 ? "" : " + " + parameters.index("start" + k, offset);
                text.append("        p" + k + "[" + results.offset(k, "output") + start + "] = As<"
                        + Sources.element(views.get(k).dtype()) + ">::of(total" + (k - inputs) + ");\n");
            }
        }
        return text.append("    }\n").toString();
    }

    /** Adds up what neighbouring threads have, first in each warp. */
    private String acrossWarp(int r, String real) {
        String total = "total" + r;
        StringBuilder text = new StringBuilder();
        int lanes = Math.min(along, 32);
        if (lanes > 1) {
            String other = "__shfl_xor_sync(0xffffffffu, " + total + ", lanes)";
            text.append("    for (int lanes = " + lanes / 2 + "; lanes > 0; lanes /= 2) {\n");
            text.append("        const " + real + " other = " + other + ";\n");
            text.append("        " + total + " = " + combined(kinds.get(r), total, "other") + ";\n    }\n");
        }
        if (along > 32) {
            text.append("    __shared__ " + real + " warps" + r + "[" + BLOCK / 32 + "];\n");
            text.append("    if (threadIdx.x % 32 == 0) {\n        warps" + r + "[threadIdx.x / 32] = " + total
                    + ";\n    }\n    __syncthreads();\n");
            text.append("    if (first == 0) {\n        for (int warp = 1; warp < " + BLOCK / 32 + "; warp++) {\n");
            text.append("            " + total + " = " + combined(kinds.get(r), total, "warps" + r + "[warp]")
                    + ";\n        }\n    }\n");
        }
        return text.toString();
    }

    /** Adds up what the block's rows of threads have for a column. */
    private String acrossRows(int r, String real) {
        if (along == 1) {
            return "";
        }
        String total = "total" + r;
        return "    __shared__ " + real + " rows" + r + "[ALONG][ACROSS];\n    rows" + r + "[first][column] = " + total
                + ";\n    __syncthreads();\n    if (first == 0) {\n"
                + "        for (int row = 1; row < ALONG; row++) {\n            " + total + " = "
                + combined(kinds.get(r), total, "rows" + r + "[row][column]") + ";\n        }\n    }\n";
    }

    /** Views of the partial results of several blocks, and of the outputs over the same axes. */
    static List<View> second(Space kept, List<View> outputs, int inputs, long splits, DType real) {
        List<Long> outer = new ArrayList<>(List.of(splits));
        for (long extent : kept.extents()) {
            outer.add(extent);
        }
        Shape shape = Shape.of(outer.stream().mapToLong(e -> e).toArray());
        View partial = View.of(new io.kingfisher.runtime.graph.Type(real, shape));
        Stream<View> results = IntStream.range(0, outputs.size()).mapToObj(r -> {
            List<Long> strides = new ArrayList<>(List.of(0L));
            for (long stride : kept.strides()[inputs + r]) {
                strides.add(stride);
            }
            return new View(
                    outputs.get(r).dtype(), shape, strides, outputs.get(r).offset());
        });
        return Stream.concat(outputs.stream().map(_ -> partial), results).collect(Collectors.toList());
    }
}
