package io.kingfisher.runtime.cpu;

import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.plan.Buffer;
import io.kingfisher.runtime.reference.Interpreter;
import java.util.List;

/** A node by the reference's plain Java in double precision: for types and ops that nothing faster takes. */
final class PlainStep implements CpuStep {
    private final Node node;
    private final long[] in;
    private final long[] out;

    PlainStep(Node node, List<Buffer> reads, List<Buffer> writes) {
        this.node = node;
        this.in = reads.stream().mapToLong(Buffer::address).toArray();
        this.out = writes.stream().mapToLong(Buffer::address).toArray();
    }

    @Override
    public void run() {
        double[][] arguments = new double[in.length][];
        for (int i = 0; i < in.length; i++) {
            arguments[i] = Scalars.read(
                    node.input(i).dtype(), in[i], node.input(i).shape().elements());
        }
        double[][] results = Interpreter.run(node, arguments);
        for (int i = 0; i < out.length; i++) {
            Scalars.write(node.output(i).dtype(), out[i], results[i]);
        }
    }
}
