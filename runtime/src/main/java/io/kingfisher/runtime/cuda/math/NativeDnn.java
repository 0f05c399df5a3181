package io.kingfisher.runtime.cuda.math;

import static io.kingfisher.nativebindings.cudnn.generated.cudnn_h.*;

import io.kingfisher.nativebindings.CudaLibrary;
import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.nativebindings.NativeHandle;
import io.kingfisher.nativebindings.cudnn.Cudnn;
import io.kingfisher.runtime.cuda.driver.Driver;
import io.kingfisher.runtime.cuda.math.DnnEngines.Built;
import io.kingfisher.runtime.cuda.math.DnnEngines.Candidate;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * cuDNN by way of the bindings. For a graph the first configurations that its heuristics propose and that follow the rules are
 * measured, once for all processes that share a cache.
 */
final class NativeDnn implements Dnn {
    private static final int MOST_MEASURED = 8;
    private static final int RUNS = 3;
    private static final long MOST_WORKSPACE = 512L << 20;

    private final Driver driver;
    private final PlanCache cache;
    private final String machine;
    private final long stream;
    private final Handles handles = new Handles(NativeDnn::open);

    NativeDnn(Driver driver, Path cache) {
        this.driver = driver;
        this.cache = new PlanCache(cache);
        CudaLibrary.CUDNN.load();
        Driver.Properties p = driver.properties();
        this.machine = "cuDNN " + cudnnGetVersion() + " on " + p.name() + " " + p.major() + "." + p.minor() + " with "
                + p.multiprocessors() + " multiprocessors";
        this.stream = driver.createStream();
    }

    private static NativeHandle open(long stream) {
        NativeHandle handle = Cudnn.create();
        try {
            Cudnn.check("cudnnSetStream", cudnnSetStream(handle.handle(), MemorySegment.ofAddress(stream)));
            return handle;
        } catch (RuntimeException e) {
            handle.close();
            throw e;
        }
    }

    @Override
    public void prepare(long stream) {
        handles.of(stream);
    }

    @Override
    public Optional<Plan> plan(DnnGraph graph, Rules rules) {
        String key = machine + ", " + rules + ": " + graph.what();
        DnnEngines engines;
        try {
            engines = new DnnEngines(handles.of(stream), graph);
        } catch (NativeException e) {
            if (e.status() == CUDNN_STATUS_NOT_SUPPORTED()) {
                return Optional.empty();
            }
            throw e;
        }
        List<NativePlan> built = new ArrayList<>();
        try {
            List<Candidate> allowed = engines.candidates().stream()
                    .filter(candidate -> candidate.follows(rules))
                    .toList();
            // What is fastest by a hair changes from run to run, and with it the bits.
            int most = rules.deterministic() ? 1 : MOST_MEASURED;
            Optional<String> known = rules.deterministic() ? Optional.empty() : cache.find(key);
            for (Candidate candidate : allowed) {
                if (known.isEmpty() || known.get().equals(candidate.label())) {
                    engines.build(candidate).ifPresent(b -> keep(built, graph, b, candidate.label()));
                }
                if (built.size() == (known.isPresent() ? 1 : most)) {
                    break;
                }
            }
            if (known.isPresent() && built.isEmpty()) {
                // What was fastest is no longer proposed.
                allowed.stream()
                        .limit(MOST_MEASURED)
                        .forEach(c -> engines.build(c).ifPresent(b -> keep(built, graph, b, c.label())));
            }
            if (built.isEmpty()) {
                engines.close();
                return Optional.empty();
            }
            NativePlan best = built.size() == 1 ? built.getFirst() : fastest(built, graph);
            built.remove(best);
            built.forEach(NativePlan::close);
            if (!rules.deterministic()) {
                cache.put(key, best.label());
            }
            best.own(engines);
            return Optional.of(best);
        } catch (RuntimeException e) {
            built.forEach(NativePlan::close);
            engines.close();
            throw e;
        }
    }

    private void keep(List<NativePlan> built, DnnGraph graph, Built plan, String label) {
        if (plan.workspaceBytes() > MOST_WORKSPACE) {
            plan.close();
        } else {
            built.add(new NativePlan(graph, plan, label, handles));
        }
    }

    /** Runs each plan on memory of its own; without the memory for that, what cuDNN proposes first. */
    private NativePlan fastest(List<NativePlan> plans, DnnGraph graph) {
        List<Long> memory = new ArrayList<>();
        long start = driver.createEvent(true), end = driver.createEvent(true);
        try {
            long most =
                    plans.stream().mapToLong(NativePlan::workspaceBytes).max().orElse(0);
            List<Long> sizes = new ArrayList<>(graph.bytes());
            sizes.add(Math.max(most, 1));
            try {
                for (long bytes : sizes) {
                    long address = driver.allocate(bytes);
                    memory.add(address);
                    driver.fill(address, (byte) 0, bytes, stream);
                }
            } catch (NativeException e) {
                return plans.getFirst();
            }
            long[] addresses = memory.subList(0, graph.bytes().size()).stream()
                    .mapToLong(Long::longValue)
                    .toArray();
            NativePlan best = null;
            float least = Float.POSITIVE_INFINITY;
            for (NativePlan plan : plans) {
                float time = time(plan, addresses, memory.getLast(), start, end);
                if (best == null || time < least) {
                    best = plan;
                    least = time;
                }
            }
            return best;
        } finally {
            driver.synchronize(stream);
            memory.forEach(driver::free);
            driver.destroyEvent(start);
            driver.destroyEvent(end);
        }
    }

    /** The shortest of some runs, in milliseconds, after one that does not count. */
    private float time(NativePlan plan, long[] addresses, long workspace, long start, long end) {
        float least = Float.POSITIVE_INFINITY;
        for (int run = 0; run <= RUNS; run++) {
            driver.record(start, stream);
            try {
                plan.run(stream, addresses, workspace);
            } catch (NativeException e) {
                // An engine may refuse only when it runs.
                return Float.POSITIVE_INFINITY;
            }
            driver.record(end, stream);
            driver.synchronizeEvent(end);
            least = run == 0 ? least : Math.min(least, driver.elapsed(start, end));
        }
        return least;
    }

    @Override
    public List<String> report() {
        return List.of(CudaLibrary.CUDNN.load().toString());
    }

    @Override
    public void close() {
        handles.close();
        driver.destroyStream(stream);
    }
}
