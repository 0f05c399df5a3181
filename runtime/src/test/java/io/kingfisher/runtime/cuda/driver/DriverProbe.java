package io.kingfisher.runtime.cuda.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.function.Supplier;

/** The program of a JVM of its own, which has a driver made for tests: calls everything once, or counts bytes of heap. */
public final class DriverProbe {
    private DriverProbe() {}

    public static void main(String[] arguments) {
        switch (arguments[0]) {
            case "open" -> print(() -> CudaDriver.open(Integer.parseInt(arguments[1])));
            case "calls" -> calls();
            case "heap" -> heap();
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static void print(Supplier<?> what) {
        try {
            System.out.println(what.get());
        } catch (RuntimeException e) {
            System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
        }
    }

    private static void print(Runnable what) {
        print(() -> {
            what.run();
            return "nothing";
        });
    }

    private static MemorySegment parameters(Arena arena) {
        var parameters = arena.allocate(ADDRESS, 2);
        parameters.setAtIndex(ADDRESS, 0, arena.allocateFrom(JAVA_INT, -3));
        parameters.setAtIndex(ADDRESS, 1, arena.allocateFrom(JAVA_DOUBLE, 0.25));
        return parameters;
    }

    private static void calls() {
        var driver = CudaDriver.open(1);
        try (var arena = Arena.ofConfined()) {
            System.out.println(driver.properties());
            System.out.println(CudaDriver.devices().size() + " devices");
            System.out.println(Arrays.toString(driver.memory()));
            long stream = driver.createStream();
            long timed = driver.createEvent(true);
            driver.createEvent(false);
            long memory = driver.allocate(16);
            long other = driver.allocate(0);
            var pinned = driver.allocatePinned(16);
            pinned.copyFrom(arena.allocateFrom(JAVA_FLOAT, 1, 2, 3, 4));
            driver.upload(memory, pinned, stream);
            driver.fill(memory + 4, (byte) 0xff, 4, stream);
            driver.copy(memory + 12, memory, 4, stream);
            driver.download(pinned.asSlice(0, 16), memory, stream);
            System.out.println(Arrays.toString(pinned.toArray(JAVA_FLOAT)));
            driver.copy(memory, memory, 0, stream);
            driver.record(timed, stream);
            driver.await(stream, timed);
            driver.synchronizeEvent(timed);
            System.out.println(driver.elapsed(timed, timed));
            long module = driver.loadModule(new byte[] {0x7f, 'E', 'L', 'F', 0}, "softmax.cu");
            long function = driver.function(module, "softmax");
            driver.allowShared(function, 100_000);
            driver.launch(function, 1, 2, 3, 4, 5, 6, 7, stream, parameters(arena));
            driver.beginCapture(stream);
            long graph = driver.endCapture(stream);
            System.out.println(driver.nodes(graph) + " nodes");
            long executable = driver.instantiate(graph);
            driver.destroyGraph(graph);
            driver.uploadGraph(executable, stream);
            driver.launchGraph(executable, stream);
            driver.destroyExecutable(executable);
            driver.pushRange("step");
            driver.popRange();
            driver.synchronize(stream);
            print(() -> driver.allocate(1L << 41));
            print(() -> driver.loadModule(new byte[4], "text.cu"));
            print(() -> driver.function(module, "absent"));
            print(() -> driver.synchronize(0xbad));
            print(() -> driver.instantiate(0xbad));
            driver.free(memory);
            driver.free(other);
            driver.freePinned(pinned);
            driver.destroyEvent(timed);
            driver.destroyStream(stream);
            driver.loadModule(new byte[] {0x7f, 'E', 'L', 'F'}, "left.cu");
            driver.unloadModule(module);
        }
        driver.close();
        driver.close();
        print(driver::enter);
        print(() -> driver.allocate(1));
    }

    private static void heap() {
        var driver = CudaDriver.open(0);
        try (var arena = Arena.ofConfined()) {
            var pinned = driver.allocatePinned(16);
            long memory = driver.allocate(16);
            long stream = driver.createStream();
            var parameters = parameters(arena);
            long least = least(() -> {
                driver.enter();
                driver.pushRange("replay");
                driver.upload(memory, pinned, stream);
                driver.fill(memory, (byte) 0, 16, stream);
                driver.copy(memory, memory, 16, stream);
                driver.launch(1, 1, 1, 1, 1, 1, 1, 0, stream, parameters);
                driver.launchGraph(1, stream);
                driver.record(1, stream);
                driver.await(stream, 1);
                driver.download(pinned, memory, stream);
                driver.synchronizeEvent(1);
                driver.synchronize(stream);
                driver.popRange();
            });
            System.out.println(least + " bytes");
        }
        driver.close();
    }

    /** The fewest bytes that a thousand calls allocate in one of many rounds: the JVM itself allocates while it links. */
    private static long least(Runnable call) {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        for (int round = 0; round < 20; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            long measuring = threads.getCurrentThreadAllocatedBytes() - before;
            before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 1000; i++) {
                call.run();
            }
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before - measuring);
        }
        return least;
    }
}
