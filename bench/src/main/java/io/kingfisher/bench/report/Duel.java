package io.kingfisher.bench.report;

import io.kingfisher.bench.CopyPeak;
import io.kingfisher.bench.step.Engines;
import io.kingfisher.bench.step.HeapBytes;
import io.kingfisher.bench.step.KingfisherEngine;
import io.kingfisher.bench.step.StepEngine;
import io.kingfisher.bench.step.StepEngine.Refresh;
import io.kingfisher.bench.step.StepEngine.Rule;
import io.kingfisher.bench.step.TorchEngine;
import io.kingfisher.bench.step.VmHwm;
import io.kingfisher.layers.Precision;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.train.json.Json;
import io.kingfisher.train.workload.Measurement;
import io.kingfisher.train.workload.Method;
import io.kingfisher.train.workload.UpdateAlone;
import io.kingfisher.train.workload.Workload;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One measurement in a JVM of its own, so that no engine's threads, memory or compiled code disturb another's: the program
 * that {@link Report} starts again and again. It prints its figures as the last line, in JSON.
 */
public final class Duel {
    /** Never fewer samples than these, however long they take. */
    private static final int FEWEST = 3;

    /** Seconds before samples count, in which the JIT compiler gets to what it is to compile. */
    private static final double WARM_UP = 4;

    /** Nor before so many: with slow steps the compiler needs longer to see which loops are worth its time. */
    private static final int WARM_UP_STEPS = 20;

    /** How often each op is timed for a roofline at least, and at most. */
    private static final int ROOFLINE_LEAST = 3, ROOFLINE_MOST = 30;

    private Duel() {}

    /** What is measured. */
    enum What {
        /** Whole training steps. */
        STEP,
        /** The update of all parameters, their gradients given. */
        UPDATE,
        /** The first step of a process; whoever starts the process looks at its clock. */
        COLD,
        /** The copy that all updates are compared with. */
        COPY,
        /** The ops of a step, each beside its floor. */
        ROOFLINE
    }

    /**
     * @param args what, engine, model, optimizer, refresh, threads, seconds
     */
    public static void main(String[] args) {
        Entry entry = new Entry(
                What.valueOf(args[0]),
                args[1],
                args[2],
                Rule.valueOf(args[3]),
                Refresh.valueOf(args[4]),
                Integer.parseInt(args[5]));
        double seconds = Double.parseDouble(args[6]);
        Map<String, Object> record = new LinkedHashMap<>(entry.record());
        switch (entry.what()) {
            case STEP -> step(entry, seconds, record);
            case UPDATE -> update(entry, seconds, record);
            case COLD -> cold(entry);
            case COPY -> copy(entry, record);
            case ROOFLINE -> roofline(entry, seconds, record);
        }
        record.put("peak_mib", VmHwm.mebibytes());
        System.out.println(Json.write(record));
        // libtorch's threads may take their time to end, and nothing is left to be saved.
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    private static StepEngine open(Entry entry, Workload workload) {
        return Engines.open(entry.engine(), workload, entry.rule(), entry.refresh(), entry.threads());
    }

    private static Workload workload(Entry entry) {
        return Workload.of(entry.model(), Workload.all());
    }

    private static void step(Entry entry, double seconds, Map<String, Object> record) {
        StepEngine engine = open(entry, workload(entry));
        int[] number = {0};
        float[] loss = {0};
        Runnable step = () -> loss[0] = engine.step(number[0]++);
        sample(step, seconds, record);
        record.put("loss", (double) loss[0]);
        if (engine instanceof KingfisherEngine ours) {
            record.put("native_calls", (long) ours.nativeCalls());
            record.put("heap_bytes", HeapBytes.fewest(FEWEST, step));
        }
    }

    private static void update(Entry entry, double seconds, Map<String, Object> record) {
        if (Engines.ours(entry.engine())) {
            Device device = Device.open("cpu", new DeviceOptions(entry.threads()));
            var update = new UpdateAlone(device, method(entry), workload(entry));
            sample(
                    () -> {
                        update.advance();
                        update.program().replay();
                    },
                    seconds,
                    record);
            record.put("parameters", update.parameters());
            record.put("bytes", update.bytes());
        } else {
            // The update does not depend on the batch, which only has to leave gradients.
            var engine = (TorchEngine) open(entry, workload(entry).withBatch(2));
            engine.step(0);
            sample(engine::updateAgain, seconds, record);
        }
    }

    private static Method method(Entry entry) {
        return switch (entry.rule()) {
            case SGD -> Method.SGD;
            case ADAMW -> Method.ADAMW;
            case ADAFISHER -> workload(entry).text() ? Method.ADAFISHERW : Method.ADAFISHER;
        };
    }

    private static void cold(Entry entry) {
        open(entry, workload(entry)).step(0);
    }

    private static void copy(Entry entry, Map<String, Object> record) {
        try (var peak = new CopyPeak(entry.threads(), 1 << 27)) {
            record.put("bytes_per_second", peak.bytesPerSecond());
        }
    }

    private static void roofline(Entry entry, double seconds, Map<String, Object> record) {
        var options = new DeviceOptions(entry.threads());
        var precision = Precision.FP32;
        Map<String, Double> ceilings = new Measurement("cpu", options, 1).ceilings(List.of(precision), 1 << 26, 1024);
        var first = new Measurement("cpu", options, ROOFLINE_LEAST)
                .steps(workload(entry), method(entry), precision, ceilings);
        double millis = (double) first.get("step_ms_p50");
        int replays = (int) Math.clamp(seconds * 1e3 / millis / 3, ROOFLINE_LEAST, ROOFLINE_MOST);
        record.putAll(new Measurement("cpu", options, replays)
                .roofline(workload(entry), method(entry), precision, entry.refresh() == Refresh.ALWAYS, ceilings)
                .record());
        record.put("copy_gb_s", ceilings.get("copy") / 1e9);
        record.put("gemm_gflop_s", ceilings.get(precision.key()) / 1e9);
    }

    /** Times a piece of work for some seconds, after a while that does not count. */
    private static void sample(Runnable work, double seconds, Map<String, Object> record) {
        long began = System.nanoTime();
        for (int i = 0; i < WARM_UP_STEPS || System.nanoTime() - began < WARM_UP * 1e9; i++) {
            work.run();
        }
        List<Double> millis = new ArrayList<>();
        began = System.nanoTime();
        while (millis.size() < FEWEST || System.nanoTime() - began < seconds * 1e9) {
            long start = System.nanoTime();
            work.run();
            millis.add((System.nanoTime() - start) / 1e6);
        }
        Collections.sort(millis);
        record.put("p50_ms", millis.get(millis.size() / 2));
        record.put("p99_ms", millis.get((int) (0.99 * millis.size())));
        record.put("least_ms", millis.get(0));
        record.put("samples", (long) millis.size());
    }
}
