package io.kingfisher.runtime.cpu;

import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Exprs;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/** Our own loops. */
final class Loops {
    private final Assembly assembly;

    Loops(Assembly assembly) {
        this.assembly = assembly;
    }

    /** An elementwise function of one operand. */
    void map(String what, String scope, Expr expr, Type type, Buffer from, Buffer to) {
        assembly.emit(Instruction.of(what + " " + type, scope, List.of(from), List.of(to), () -> () -> {
            double[] x = Scalars.read(type.dtype(), from.address(), type.shape().elements());
            for (int i = 0; i < x.length; i++) {
                x[i] = Exprs.evaluate(List.of(expr), x[i])[0];
            }
            Scalars.write(type.dtype(), to.address(), x);
        }));
    }

    /** A node in row-major order. */
    void plain(Node node) {
        List<Buffer> reads = new ArrayList<>(), writes = new ArrayList<>();
        for (Value input : node.inputs()) {
            reads.add(assembly.plain(input));
        }
        for (Value output : node.outputs()) {
            writes.add(assembly.define(output));
        }
        assembly.emit(Instruction.of(
                assembly.describe(node, "plain Java"),
                node.scope(),
                reads,
                writes,
                () -> new PlainStep(node, reads, writes)));
    }
}
