package io.kingfisher.runtime.reference;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Exprs;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.Node;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;

/** Maps: the parts of the expressions in order, each over a block of elements at a time. */
final class Elementwise {
    private static final int BLOCK = 256;

    private Elementwise() {}

    static double[][] run(Map map, Node node, double[][] in) {
        Shape shape = node.output(0).shape();
        int count = Math.toIntExact(shape.elements());
        double[][] arguments = new double[in.length][];
        for (int i = 0; i < in.length; i++) {
            arguments[i] = Movements.broadcast(in[i], node.input(i).shape(), shape);
        }
        List<Expr> parts = Exprs.ordered(map.results());
        java.util.Map<Expr, double[]> registers = new IdentityHashMap<>();
        parts.forEach(part -> registers.put(part, new double[BLOCK]));
        double[][] results = new double[map.results().size()][count];
        for (int from = 0; from < count; from += BLOCK) {
            int n = Math.min(BLOCK, count - from);
            for (Expr part : parts) {
                evaluate(part, registers, arguments, from, n);
            }
            for (int k = 0; k < results.length; k++) {
                System.arraycopy(registers.get(map.results().get(k)), 0, results[k], from, n);
            }
        }
        return results;
    }

    private static void evaluate(
            Expr part, java.util.Map<Expr, double[]> registers, double[][] arguments, int from, int n) {
        double[] y = registers.get(part);
        switch (part) {
            case Expr.Arg(int index) -> System.arraycopy(arguments[index], from, y, 0, n);
            case Expr.Const(double value) -> Arrays.fill(y, 0, n, value);
            case Expr.Unary(Expr.UnaryOp op, Expr x) -> {
                double[] a = registers.get(x);
                for (int i = 0; i < n; i++) {
                    y[i] = Expr.apply(op, a[i]);
                }
            }
            case Expr.Binary(Expr.BinaryOp op, Expr left, Expr right) -> {
                double[] a = registers.get(left), b = registers.get(right);
                for (int i = 0; i < n; i++) {
                    y[i] = Expr.apply(op, a[i], b[i]);
                }
            }
            case Expr.Select(Expr condition, Expr yes, Expr no) -> {
                double[] c = registers.get(condition), a = registers.get(yes), b = registers.get(no);
                for (int i = 0; i < n; i++) {
                    y[i] = c[i] != 0 ? a[i] : b[i];
                }
            }
        }
    }
}
