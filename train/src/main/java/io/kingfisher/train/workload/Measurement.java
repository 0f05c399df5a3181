package io.kingfisher.train.workload;

import io.kingfisher.layers.Precision;
import io.kingfisher.optimizers.Optimizer.Cadence;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import java.util.LinkedHashMap;
import java.util.Map;

/** Measures one model with one optimizer in one precision on a device that is opened for it. */
public final class Measurement {
    private final String device;
    private final DeviceOptions options;
    private final int steps;

    public Measurement(String device, DeviceOptions options, int steps) {
        this.device = device;
        this.options = options;
        this.steps = steps;
    }

    /** What the device reaches at best, in each precision: {@code copy} in bytes, the others in operations a second. */
    public Map<String, Double> ceilings(Iterable<Precision> precisions, long copyBytes, int size) {
        var found = new LinkedHashMap<String, Double>();
        for (Precision precision : precisions) {
            try (Device opened = open(precision)) {
                if (found.isEmpty()) {
                    found.put("copy", Ceilings.copy(opened, copyBytes));
                }
                found.put(precision.key(), Ceilings.product(opened, precision, size));
            }
        }
        return found;
    }

    private Device open(Precision precision) {
        return Device.open(device, options.withTf32(precision == Precision.TF32));
    }

    /** Makes one step and waits for its loss, and nothing else. */
    public void firstStep(Workload workload, Method method, Precision precision) {
        try (Device opened = open(precision);
                TrainingStep step = new TrainingStep(opened, workload, method, precision, 1)) {
            step.step();
            step.loss();
        }
    }

    /** Measures whole training steps; one record of the report. */
    public Map<String, Object> steps(
            Workload workload, Method method, Precision precision, Map<String, Double> ceilings) {
        long began = System.nanoTime();
        try (Device opened = open(precision);
                TrainingStep step = new TrainingStep(opened, workload, method, precision, 1)) {
            double built = (System.nanoTime() - began) / 1e9;
            step.step();
            double firstLoss = step.loss();
            double first = (System.nanoTime() - began) / 1e9;
            Timing timing = Timing.of(
                    opened,
                    new Timing.Step() {
                        private Program next;

                        @Override
                        public void prepare() {
                            next = step.prepare();
                        }

                        @Override
                        public void replay() {
                            next.replay();
                        }
                    },
                    steps);
            var record = record(workload.name(), workload.batch(), method, precision);
            record.put("parameters", step.model().parameterCount());
            times(record, timing);
            record.put("native_calls", (long) step.program().nativeCalls());
            record.put("graph_nodes", (long) step.program().graphNodes());
            shares(record, step.work(), timing, ceilings, precision);
            record.put("memory_peak_bytes", opened.memoryUse().peakBytes());
            record.put("build_s", built);
            record.put("first_step_s", first);
            record.put("first_loss", firstLoss);
            record.put("last_loss", step.loss());
            return record;
        }
    }

    /** Measures the update of a matrix alone; one record of the report. */
    public Map<String, Object> update(Method method, int size, Map<String, Double> ceilings) {
        try (Device opened = open(Precision.FP32);
                UpdateAlone update = new UpdateAlone(opened, method, size)) {
            Timing timing = Timing.of(
                    opened,
                    new Timing.Step() {
                        @Override
                        public void prepare() {
                            update.advance();
                        }

                        @Override
                        public void replay() {
                            update.program().replay();
                        }
                    },
                    steps);
            var record = record("update", size, method, Precision.FP32);
            record.put("parameters", (long) size * size);
            times(record, timing);
            record.put("native_calls", (long) update.program().nativeCalls());
            record.put("graph_nodes", (long) update.program().graphNodes());
            shares(record, new Work(0, update.bytes()), timing, ceilings, Precision.FP32);
            return record;
        }
    }

    /**
     * Measures the ops of a training step one by one.
     *
     * @param refresh whether of a step that refreshes the curvature, where the method has any
     */
    public Roofline roofline(
            Workload workload, Method method, Precision precision, boolean refresh, Map<String, Double> ceilings) {
        try (Device opened = open(precision);
                TrainingStep step = new TrainingStep(opened, workload, method, precision, 1)) {
            Program program = step.prepare(refresh ? Cadence.REFRESH : Cadence.STEP);
            return Roofline.of(program, steps, ceilings.get(precision.key()), ceilings.get("copy"));
        }
    }

    /** What a record of the report begins with. */
    public Map<String, Object> record(String model, int batch, Method method, Precision precision) {
        var record = new LinkedHashMap<String, Object>();
        record.put("framework", "kingfisher");
        record.put("mode", mode());
        record.put("model", model);
        record.put("batch", (long) batch);
        record.put("optimizer", method.label());
        record.put("precision", precision.key());
        record.put("steps", (long) steps);
        return record;
    }

    private String mode() {
        return !device.startsWith("cuda")
                ? "calls"
                : switch (options.execution()) {
                    case GRAPH -> "graph";
                    case PLAIN -> "plain";
                    case BLOCKING -> "graph, blocking stream";
                };
    }

    private static void times(Map<String, Object> record, Timing timing) {
        record.put("step_ms_p50", timing.p50Millis());
        record.put("step_ms_p99", timing.p99Millis());
        record.put("step_ms_streamed", timing.streamedMillis());
        record.put("prepare_us", timing.prepareMicros());
        record.put("host_us", timing.hostMicros());
    }

    private static void shares(
            Map<String, Object> record, Work work, Timing timing, Map<String, Double> ceilings, Precision precision) {
        double seconds = timing.streamedMillis() / 1e3;
        record.put("gflop", work.flop() / 1e9);
        record.put("mbytes", work.bytes() / 1e6);
        record.put("tflop_s", work.flop() / seconds / 1e12);
        record.put("gb_s", work.bytes() / seconds / 1e9);
        record.put("share_of_gemm", work.flop() / seconds / ceilings.get(precision.key()));
        record.put("share_of_copy", work.bytes() / seconds / ceilings.get("copy"));
    }
}
