package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.cuda.driver.Driver;
import java.util.ArrayList;
import java.util.List;

/** Turns steps into graphs, as few as possible: steps that cannot be captured run between them. */
final class Capture {
    private final CudaDevice device;
    private final Driver driver;
    private final Resources resources;
    private final StepRunner runner;

    Capture(CudaDevice device, Resources resources, StepRunner runner) {
        this.device = device;
        this.driver = device.driver();
        this.resources = resources;
        this.runner = runner;
    }

    Segment[] segments(List<CudaStep> steps) {
        List<Segment> segments = new ArrayList<>();
        int from = 0;
        while (from < steps.size()) {
            boolean capturable = device.graphs() && steps.get(from).capturable();
            int to = from + 1;
            while (to < steps.size() && (device.graphs() && steps.get(to).capturable()) == capturable) {
                to++;
            }
            segments.add(capturable ? capture(from, to) : new Segment.Plain(runner, from, to));
            from = to;
        }
        return segments.toArray(Segment[]::new);
    }

    private Segment capture(int from, int to) {
        long stream = device.captureStream();
        driver.beginCapture(stream);
        long graph;
        try {
            for (int i = from; i < to; i++) {
                runner.step(i).run(driver, stream);
            }
        } catch (RuntimeException | Error e) {
            // A capture that fails must end all the same, or the stream stays in it.
            try {
                driver.destroyGraph(driver.endCapture(stream));
            } catch (RuntimeException second) {
                e.addSuppressed(second);
            }
            throw e;
        }
        graph = driver.endCapture(stream);
        long executable;
        int nodes;
        try {
            nodes = driver.nodes(graph);
            executable = driver.instantiate(graph);
        } finally {
            driver.destroyGraph(graph);
        }
        resources.add(() -> driver.destroyExecutable(executable));
        driver.uploadGraph(executable, device.stream());
        return new Segment.Captured(driver, executable, device.stream(), nodes);
    }
}
