package io.kingfisher.runtime.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.cpu.Net;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Value;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** The driver calls that steps make, as {@link GoldenCalls} writes them. */
class DriverCallsTest {
    private final GoldenCalls calls = new GoldenCalls();
    private final Device device = calls.device();

    @Test
    void perceptron() throws IOException {
        Net net = new Net(device);
        Value x = net.graph.input("x", DType.F32, 4, 6);
        Program program = net.train(net.linear(net.linear(x, 5).relu(), 3), 0.1);
        calls.compiled("an MLP's step of SGD with momentum", program);
        calls.replay("first replay", program, () -> {});
        calls.replay("second replay, with other inputs", program, () -> Net.feed(program, 3, 1));
        calls.replay("third replay, with the same inputs", program, () -> {});
        calls.compare(DriverCallsTest.class, "mlp.txt");
    }

    @Test
    void lenet() throws IOException {
        Net net = new Net(device);
        Program program = net.lenet(2);
        calls.compiled("LeNet's step of SGD with momentum", program);
        calls.replay("a replay", program, () -> Net.feed(program, 10, 1));
        calls.compare(DriverCallsTest.class, "lenet.txt");
    }

    /** One program for each cadence over the same tensors; the refresh has a call that no graph can hold. */
    @Test
    void cadences() throws IOException {
        Tensor w = device.allocate(DType.F32, Shape.of(3, 3)), root = device.allocate(DType.F32, Shape.of(3, 3));
        Program step = device.compile(cadence(w, root, false));
        calls.compiled("the step", step);
        Program refresh = device.compile(cadence(w, root, true));
        calls.compiled("the step with a refresh", refresh);
        calls.replay("a step", step, () -> step.input("x").fill(1));
        calls.replay("a step with a refresh", refresh, () -> refresh.input("x").fill(1));
        calls.compare(DriverCallsTest.class, "cadences.txt");
    }

    /** A loop that looks at a loss two steps later: uploads and launches come before the wait, and each waits for its own. */
    @Test
    void ahead() throws IOException {
        Net net = new Net(device);
        Value x = net.graph.input("x", DType.F32, 4, 6);
        Program program = net.train(net.linear(net.linear(x, 5).relu(), 3), 0.1);
        calls.drop();
        for (int step = 0; step < 5; step++) {
            Net.feed(program, 3, step);
            program.replay();
            calls.section("step " + step + " is handed over");
            if (step >= 2) {
                program.output("loss", 2).item();
                calls.section("the loss of step " + (step - 2) + " is read");
            }
        }
        program.output("loss", 1).item();
        calls.section("the loss of step 3 is read");
        program.output("loss", 0).item();
        calls.section("the loss of step 4 is read");
        calls.compare(DriverCallsTest.class, "ahead.txt");
    }

    private static Graph cadence(Tensor w, Tensor root, boolean refresh) {
        Graph g = new Graph();
        Value x = g.input("x", DType.F32, 3, 3), weight = g.read(w), factor = g.read(root);
        if (refresh) {
            Value second = x.matmul(x, true, false).add(1);
            factor = g.add(new LinearAlgebra.Cholesky(), second).output(0);
            g.assign(root, factor);
        }
        Value loss = x.matmul(weight).square().mean();
        g.assign(w, weight.sub(factor.matmul(x).mul(0.1)));
        g.output("loss", loss);
        return g;
    }

    @Test
    void aReplayMakesAsManyCallsAsItSays() {
        RecordingDriver driver = calls.driver();
        Program program = new Net(device).lenet(2);
        Net.feed(program, 10, 1);
        long before = driver.calls();
        program.replay();
        assertEquals(before + program.nativeCalls(), driver.calls());
        before = driver.calls();
        program.replay();
        // Inputs that were not touched are not uploaded.
        assertEquals(before + program.nativeCalls() - 6, driver.calls());
        device.close();
    }

    @Test
    void aReplayAllocatesNothing() {
        RecordingDriver driver = calls.driver();
        Program program = new Net(device).lenet(2);
        Tensor loss = program.output("loss");
        var input = program.input("x");
        driver.silent();
        var bean = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        for (int round = 0; round < 400 && least > 0; round++) {
            long before = bean.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 100; i++) {
                program.replay();
            }
            least = Math.min(least, bean.getCurrentThreadAllocatedBytes() - before);
        }
        assertEquals(0, least, "bytes in 100 replays");
        assertEquals(0, loss.item());
        assertEquals(0, input.get(0));
        device.close();
    }
}
