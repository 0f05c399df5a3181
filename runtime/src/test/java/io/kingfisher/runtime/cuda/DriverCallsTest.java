package io.kingfisher.runtime.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.cpu.Net;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.LinearAlgebra;
import io.kingfisher.runtime.graph.Value;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The driver calls that steps make, in files to be read: where everything lies, what is launched with which arguments, what
 * is captured, and what a replay does. {@code -Dkingfisher.golden=write} writes the files anew.
 */
class DriverCallsTest {
    private final RecordingDriver driver = new RecordingDriver();
    private final CudaDevice device =
            new CudaDevice("cuda:0", driver, new RecordingLibraries(driver), driver, new DeviceOptions(1));
    private final List<String> text = new ArrayList<>();

    private void section(String title, List<String> lines) {
        text.add("== " + title);
        text.addAll(lines);
        text.add("");
    }

    private void compiled(String name, Program program) {
        section(name + ": steps", program.describe().lines().toList());
        section(name + ": memory", ((CudaProgram) program).memory());
        // What sets up tensors comes before the program's block, the last device memory before its pinned one.
        List<String> all = driver.take();
        int pinned = 0;
        while (pinned < all.size() && !all.get(pinned).matches("allocate h([2-9]|1\\d).*")) {
            pinned++;
        }
        int block = pinned;
        while (!all.get(block).startsWith("allocate d")) {
            block--;
        }
        section(
                name + ": tensors",
                all.subList(0, block).stream()
                        .filter(line -> line.startsWith("allocate d"))
                        .toList());
        section(name + ": compiling", all.subList(block, all.size()));
    }

    private void replay(String title, Program program, Runnable before) {
        before.run();
        program.replay();
        program.output("loss").item();
        section(title, driver.take());
    }

    @Test
    void perceptron() throws IOException {
        Net net = new Net(device);
        Value x = net.graph.input("x", DType.F32, 4, 6);
        Program program = net.train(net.linear(net.linear(x, 5).relu(), 3), 0.1);
        compiled("an MLP's step of SGD with momentum", program);
        replay("first replay", program, () -> {});
        replay("second replay, with other inputs", program, () -> Net.feed(program, 3, 1));
        replay("third replay, with the same inputs", program, () -> {});
        compare("mlp.txt");
    }

    @Test
    void lenet() throws IOException {
        Net net = new Net(device);
        Program program = net.lenet(2);
        compiled("LeNet's step of SGD with momentum", program);
        replay("a replay", program, () -> Net.feed(program, 10, 1));
        compare("lenet.txt");
    }

    /** One program for each cadence over the same tensors; the refresh has a call that no graph can hold. */
    @Test
    void cadences() throws IOException {
        Tensor w = device.allocate(DType.F32, Shape.of(3, 3)), root = device.allocate(DType.F32, Shape.of(3, 3));
        Program step = device.compile(cadence(w, root, false));
        compiled("the step", step);
        Program refresh = device.compile(cadence(w, root, true));
        compiled("the step with a refresh", refresh);
        replay("a step", step, () -> step.input("x").fill(1));
        replay("a step with a refresh", refresh, () -> refresh.input("x").fill(1));
        compare("cadences.txt");
    }

    /** A loop that looks at a loss two steps later: uploads and launches come before the wait, and each waits for its own. */
    @Test
    void ahead() throws IOException {
        Net net = new Net(device);
        Value x = net.graph.input("x", DType.F32, 4, 6);
        Program program = net.train(net.linear(net.linear(x, 5).relu(), 3), 0.1);
        driver.take();
        for (int step = 0; step < 5; step++) {
            Net.feed(program, 3, step);
            program.replay();
            section("step " + step + " is handed over", driver.take());
            if (step >= 2) {
                program.output("loss", 2).item();
                section("the loss of step " + (step - 2) + " is read", driver.take());
            }
        }
        program.output("loss", 1).item();
        section("the loss of step 3 is read", driver.take());
        program.output("loss", 0).item();
        section("the loss of step 4 is read", driver.take());
        compare("ahead.txt");
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

    private void compare(String name) throws IOException {
        Path folder = Path.of("src/test/resources/io/kingfisher/runtime/cuda/golden");
        String actual = String.join("\n", text).strip() + "\n";
        device.close();
        if ("write".equals(System.getProperty("kingfisher.golden"))) {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve(name), actual);
            return;
        }
        try (InputStream in = DriverCallsTest.class.getResourceAsStream("golden/" + name)) {
            String expected = in == null ? "" : new String(in.readAllBytes(), StandardCharsets.UTF_8);
            if (!expected.equals(actual)) {
                Path now = Files.writeString(Files.createTempFile("kingfisher-", "-" + name), actual);
                fail(difference(expected.lines().toList(), actual.lines().toList())
                        + "\nIf that is meant, run this test with -Dkingfisher.golden=write and read what changes in "
                        + folder.resolve(name) + "; all of it is now in " + now);
            }
        }
    }

    /** The first lines that differ, with what they should be. */
    private static String difference(List<String> expected, List<String> actual) {
        int i = 0;
        while (i < expected.size() && i < actual.size() && expected.get(i).equals(actual.get(i))) {
            i++;
        }
        StringBuilder result = new StringBuilder("The calls differ from line " + (i + 1) + " on:");
        for (int k = i; k < i + 4; k++) {
            result.append(k < expected.size() ? "\n- " + expected.get(k) : "");
        }
        for (int k = i; k < i + 4; k++) {
            result.append(k < actual.size() ? "\n+ " + actual.get(k) : "");
        }
        return result.toString();
    }

    @Test
    void aReplayMakesAsManyCallsAsItSays() {
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
