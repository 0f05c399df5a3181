package io.kingfisher.runtime.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LayerNorm;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Value;
import java.lang.management.ManagementFactory;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A replay allocates nothing on the heap once its code is compiled. */
class AllocationTest {
    /** Enough for the last compiler to have done everything that a replay calls. */
    private static final int MOST_REPLAYS = 40_000;

    private static void check(int threads, Function<Net, Program> record) {
        var bean = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (Device device = Device.open("cpu", new DeviceOptions(threads))) {
            Program program = record.apply(new Net(device));
            long least = Long.MAX_VALUE;
            for (int round = 0; round < MOST_REPLAYS / 100 && least > 0; round++) {
                long before = bean.getTotalThreadAllocatedBytes();
                long own = bean.getCurrentThreadAllocatedBytes();
                for (int i = 0; i < 100; i++) {
                    program.replay();
                }
                own = bean.getCurrentThreadAllocatedBytes() - own;
                least = Math.min(least, own);
            }
            assertEquals(0, least, "bytes in 100 replays");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void convolutionalNetwork(int threads) {
        check(threads, net -> {
            Program program = net.lenet(1);
            Net.feed(program, 10, 1);
            return program;
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void residualNetwork(int threads) {
        check(threads, net -> {
            Program program = net.residual(1, 8, 8);
            Net.feed(program, 10, 1);
            return program;
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void everythingElse(int threads) {
        check(threads, net -> {
            Graph g = net.graph;
            Value x = net.parameter(1, 0, 3, 5), w = net.parameter(1, 0, 5, 5);
            Value spd = w.matmul(w, false, true)
                    .add(g.constant(DType.F32, io.kingfisher.runtime.Shape.of(5, 1), 1, 2, 3, 4, 5));
            Value state = g.constant(DType.I32, io.kingfisher.runtime.Shape.of(4), 1, 2, 3, 4);
            g.output("softmax", x.softmax());
            g.output(
                    "norm",
                    g.add(new LayerNorm(1e-5), x, net.parameter(1, 0, 5), net.parameter(1, 0, 5))
                            .output(0));
            g.output("cholesky", g.add(new LinearAlgebra.Cholesky(), spd).output(0));
            g.output("eigh", g.add(new LinearAlgebra.Eigh(), spd).output(1));
            g.output("qr", g.add(new LinearAlgebra.Qr(), x).output(0));
            g.output("svd", g.add(new LinearAlgebra.Svd(), x).output(0));
            g.output(
                    "solve",
                    g.add(new LinearAlgebra.TriangularSolve(true), spd, w).output(0));
            g.output("random", g.random(io.kingfisher.runtime.graph.Random.Distribution.NORMAL, state, 1, x.shape()));
            g.output("rows", x.gather(g.constant(DType.I32, io.kingfisher.runtime.Shape.of(2), 2, 0)));
            g.output("moved", x.t().slice(0, 1, 3));
            g.output("double", x.cast(DType.F64).matmul(w.cast(DType.F64)).exp());
            return net.device.compile(g);
        });
    }
}
