package io.kingfisher.train.workload;

import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.ProgramStep;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What each op of a step takes, beside the least that it could take on a device that multiplies and copies as fast as was
 * measured on it (the roofline model of Williams, Waterman and Patterson, CACM 2009).
 *
 * @param ops the ops, those first that are furthest above their floor
 * @param replayMicros the median time of a whole replay, in microseconds
 * @param productPeak operations a second of a large matrix product
 * @param copyPeak bytes read and written a second in main memory; what stays in a cache may be faster
 */
public record Roofline(List<Line> ops, double replayMicros, double productPeak, double copyPeak) {
    /**
     * An op of a step.
     *
     * @param micros its median time in microseconds
     * @param floorMicros the longer of the times that its products and its bytes take at their peaks
     */
    public record Line(ProgramStep step, double micros, double floorMicros) {
        /** The time above the floor; below 0 where caches are faster than main memory. */
        public double gapMicros() {
            return micros - floorMicros;
        }
    }

    /**
     * Measures a program, which changes what its replays change.
     *
     * @param replays how often each op is timed; as many replays come before
     * @throws io.kingfisher.runtime.KingfisherException on a device whose steps cannot be run one by one
     */
    public static Roofline of(Program program, int replays, double productPeak, double copyPeak) {
        List<ProgramStep> steps = program.steps();
        long[] whole = new long[replays];
        for (int r = -replays; r < replays; r++) {
            long began = System.nanoTime();
            program.replay();
            whole[Math.max(r, 0)] = System.nanoTime() - began;
        }
        long[][] times = new long[steps.size()][replays];
        for (int r = 0; r < replays; r++) {
            for (int i = 0; i < times.length; i++) {
                Runnable run = steps.get(i).run();
                long began = System.nanoTime();
                run.run();
                times[i][r] = System.nanoTime() - began;
            }
        }
        List<Line> ops = new ArrayList<>();
        for (int i = 0; i < times.length; i++) {
            ProgramStep step = steps.get(i);
            double floor = 1e6 * Math.max(step.flop() / productPeak, step.bytes() / copyPeak);
            ops.add(new Line(step, medianMicros(times[i]), floor));
        }
        ops.sort(Comparator.comparingDouble(Line::gapMicros).reversed());
        return new Roofline(List.copyOf(ops), medianMicros(whole), productPeak, copyPeak);
    }

    private static double medianMicros(long[] nanos) {
        Arrays.sort(nanos);
        return nanos[nanos.length / 2] / 1e3;
    }

    /** The sum of the ops' times in microseconds. */
    public double micros() {
        return ops.stream().mapToDouble(Line::micros).sum();
    }

    /** The sum of the ops' floors in microseconds. */
    public double floorMicros() {
        return ops.stream().mapToDouble(Line::floorMicros).sum();
    }

    public double flop() {
        return ops.stream().mapToDouble(line -> line.step().flop()).sum();
    }

    public double bytes() {
        return ops.stream().mapToDouble(line -> line.step().bytes()).sum();
    }

    /** An op's name and operands, without its settings. */
    public static String brief(String what) {
        int settings = what.indexOf('['), operands = what.indexOf(" [%");
        return settings < 0 || operands <= settings ? what : what.substring(0, settings) + what.substring(operands);
    }

    /** All figures, for JSON. */
    public Map<String, Object> record() {
        var record = new LinkedHashMap<String, Object>();
        record.put("replay_us", replayMicros);
        record.put("ops_us", micros());
        record.put("floor_us", floorMicros());
        record.put("gflop", flop() / 1e9);
        record.put("mbytes", bytes() / 1e6);
        record.put(
                "native_calls",
                ops.stream().mapToLong(line -> line.step().nativeCalls()).sum());
        List<Object> lines = new ArrayList<>();
        for (Line line : ops) {
            var op = new LinkedHashMap<String, Object>();
            op.put("op", line.step().what());
            op.put("layer", line.step().scope());
            op.put("us", line.micros());
            op.put("floor_us", line.floorMicros());
            op.put("gap_us", line.gapMicros());
            op.put("gflop", line.step().flop() / 1e9);
            op.put("mbytes", line.step().bytes() / 1e6);
            op.put("share_of_gemm", shareOfProduct(line));
            op.put("share_of_copy", shareOfCopy(line));
            op.put("native_calls", (long) line.step().nativeCalls());
            lines.add(op);
        }
        record.put("ops", lines);
        return record;
    }

    /** The operations a second that an op reaches, as a share of a large matrix product's. */
    public double shareOfProduct(Line line) {
        return line.step().flop() / (line.micros() / 1e6) / productPeak;
    }

    /** The bytes a second that an op moves, as a share of a copy's. */
    public double shareOfCopy(Line line) {
        return line.step().bytes() / (line.micros() / 1e6) / copyPeak;
    }
}
