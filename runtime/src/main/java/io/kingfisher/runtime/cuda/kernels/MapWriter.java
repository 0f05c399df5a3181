package io.kingfisher.runtime.cuda.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Argument;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Exprs;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Writes an elementwise kernel. A thread computes neighbouring elements along the axis along which the first output is
 * contiguous, in accesses of 16 bytes where all operands allow it. The floor is to read and to write every element once.
 */
final class MapWriter {
    /** Of NVIDIA's memory instructions the widest. */
    private static final int ACCESS_BYTES = 16;

    private final List<Expr> exprs;
    private final List<View> views;
    private final int inputs;
    private final Space space;
    private final boolean wide;
    private final int vector;
    private final Parameters parameters;
    private final String body;

    /** Inputs broadcast to the shape of the outputs. */
    MapWriter(Sources sources, List<Expr> exprs, List<View> inputs, List<View> outputs) {
        this.exprs = exprs;
        this.inputs = inputs.size();
        Shape shape = outputs.get(0).shape();
        views = Stream.concat(inputs.stream().map(view -> view.broadcast(shape)), outputs.stream())
                .toList();
        space = Space.of(shape, views, inputs.size());
        wide = wide(sources, space, views);
        vector = vector();
        parameters = new Parameters(wide);
        body = space.elements() == 0 ? "" : body();
    }

    static boolean wide(Sources sources, Space space, List<View> views) {
        return sources.wide(space.elements())
                || IntStream.range(0, views.size())
                        .anyMatch(
                                k -> sources.wide(space.reach(k) + views.get(k).offset()));
    }

    /** Whether there is nothing to do. */
    boolean empty() {
        return space.elements() == 0;
    }

    boolean wide() {
        return wide;
    }

    /** The elements of a thread. */
    int elementsPerThread() {
        return vector;
    }

    long elements() {
        return space.elements();
    }

    Parameters parameters() {
        return parameters;
    }

    /** Statements that compute the elements from {@code place} on. */
    String bodyText() {
        return body;
    }

    int operands() {
        return views.size();
    }

    /** How much code the expressions are. */
    int parts() {
        return Exprs.ordered(exprs).size();
    }

    /** A name that says the first things that are computed. */
    static String name(String kind, List<Expr> exprs) {
        String what = Exprs.ordered(exprs).stream()
                .flatMap(e -> switch (e) {
                    case Expr.Unary(Expr.UnaryOp op, Expr _) -> Stream.of(op.name());
                    case Expr.Binary(Expr.BinaryOp op, Expr _, Expr _) -> Stream.of(op.name());
                    case Expr.Select _ -> Stream.of("SELECT");
                    default -> Stream.<String>of();
                })
                .distinct()
                .limit(5)
                .map(op -> "_" + op.toLowerCase(Locale.ROOT))
                .collect(Collectors.joining());
        return kind + what;
    }

    /** How many neighbours a thread computes. */
    private int vector() {
        int last = space.last(), widest = 1;
        for (int k = 0; k < views.size(); k++) {
            if (!space.repeats(k)) {
                widest = Math.max(widest, views.get(k).dtype().bytes());
            }
        }
        int together = Math.min(8, ACCESS_BYTES / widest);
        boolean fits = space.rank() == 1 || space.extents()[last] % together == 0;
        for (int k = 0; fits && k < views.size(); k++) {
            long[] strides = space.strides()[k];
            fits = strides[last] == 0 || (strides[last] == 1 && views.get(k).offset() % together == 0);
            for (int axis = 0; fits && axis < last; axis++) {
                fits = strides[last] == 0 || strides[axis] % together == 0;
            }
        }
        return fits ? together : 1;
    }

    private boolean repeatsAlong(int k) {
        return space.strides()[k][space.last()] == 0 && space.extents()[space.last()] != 1;
    }

    private boolean single(int k) {
        return k < inputs && (space.repeats(k) || repeatsAlong(k)) && !(space.elements() == 1);
    }

    private String body() {
        String indent = "    ";
        StringBuilder text = new StringBuilder();
        for (int k = 0; k < views.size(); k++) {
            parameters.pointer(Sources.element(views.get(k).dtype()), k >= inputs, "p" + k, new Argument.Operand(k));
        }
        parameters.index("count", space.elements());
        text.append("    if (place >= count) {\n        return;\n    }\n");
        Walk walk = new Walk(space, "", parameters);
        text.append(
                walk.indices("place", IntStream.range(0, views.size()).boxed().toList(), indent));
        for (int k = 0; k < views.size(); k++) {
            long offset = views.get(k).offset();
            String start = offset == 0 ? "" : " + " + parameters.index("start" + k, offset);
            text.append("    const Index at" + k + " = " + walk.offset(k, "place") + start + ";\n");
        }
        whole(text);
        boolean wideReal = views.stream().anyMatch(view -> view.dtype() == DType.F64);
        String convert = wideReal ? "to_double" : "to_float", real = wideReal ? "double" : "float";
        for (int k = 0; k < inputs; k++) {
            String element = Sources.element(views.get(k).dtype());
            if (single(k)) {
                text.append("    const " + element + " a" + k + " = p" + k + "[at" + k + "];\n");
            } else {
                text.append("    Pack<" + element + ", " + vector + "> a" + k + ";\n");
                text.append("    load(a" + k + ", p" + k + " + at" + k + ", whole, left);\n");
            }
        }
        for (int k = inputs; k < views.size(); k++) {
            text.append("    Pack<" + Sources.element(views.get(k).dtype()) + ", " + vector + "> b" + k + ";\n");
        }
        text.append("#pragma unroll\n    for (int j = 0; j < " + vector + "; j++) {\n");
        computed(text, real, convert);
        text.append("    }\n");
        for (int k = inputs; k < views.size(); k++) {
            text.append("    store(p" + k + " + at" + k + ", b" + k + ", whole, left);\n");
        }
        return text.toString();
    }

    /** Whether all elements of the thread exist and lie where one access can reach them. */
    private void whole(StringBuilder text) {
        if (vector == 1) {
            text.append("    const int left = 1;\n    const bool whole = true;\n");
            return;
        }
        String addresses = IntStream.range(0, views.size())
                .filter(k -> !single(k))
                .mapToObj(k -> "(size_t) p" + k)
                .collect(Collectors.joining(" | "));
        text.append("    const int left = count - place < " + vector + " ? (int) (count - place) : " + vector + ";\n");
        text.append("    const bool whole = left == " + vector + " && (" + addresses + ") % 16 == 0;\n");
    }

    private void computed(StringBuilder text, String real, String convert) {
        for (int k = 0; k < inputs; k++) {
            String element = "a" + k + (single(k) ? "" : ".at[j]");
            text.append("        const " + real + " x" + k + " = " + convert + "(" + element + ");\n");
        }
        ExprWriter writer = new ExprWriter(real.equals("double"));
        List<Expr> computed = new ArrayList<>();
        for (int r = 0; r < exprs.size(); r++) {
            if (copied(r) < 0) {
                computed.add(exprs.get(r));
            }
        }
        List<String> values = writer.write(computed, "        ");
        text.append(writer.text());
        int next = 0;
        for (int r = 0; r < exprs.size(); r++) {
            int k = inputs + r, from = copied(r);
            String value = from >= 0
                    ? "a" + from + (single(from) ? "" : ".at[j]")
                    : "As<" + Sources.element(views.get(k).dtype()) + ">::of(" + cast(values.get(next++), real) + ")";
            text.append("        b" + k + ".at[j] = " + value + ";\n");
        }
    }

    private static String cast(String value, String real) {
        return value.startsWith("-") ? "(" + real + ") (" + value + ")" : value;
    }

    /** The input whose elements are a result as they are, whatever their bits; -1 where the result is computed. */
    private int copied(int result) {
        return exprs.get(result) instanceof Expr.Arg(int index)
                        && views.get(index).dtype()
                                == views.get(inputs + result).dtype()
                ? index
                : -1;
    }
}
