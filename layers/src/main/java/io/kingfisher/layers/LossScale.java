package io.kingfisher.layers;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Dynamic loss scaling (Micikevicius et al., ICLR 2018, section 3.2), decided on the device: the loss is multiplied by a scale
 * before it is differentiated and the gradients are divided by it afterwards. Where a gradient is not finite, the step changes
 * nothing but this scale, which is halved; after {@code growthInterval} steps without that it is doubled.
 *
 * <p>A step that changes nothing is replayed like any other: every tensor is assigned what it held.
 */
public final class LossScale implements AutoCloseable {
    /** Between these the scale moves: all are powers of two, so that scaling rounds nothing. */
    private static final double LEAST = 0x1p-24, GREATEST = 0x1p60;

    /**
     * @param initial the first scale, from 2^-24 to 2^60
     * @param growth what the scale is multiplied by after {@code growthInterval} good steps, at least 1
     * @param backoff what it is multiplied by after a step with a gradient that is not finite, in (0, 1]
     */
    public record Config(double initial, double growth, double backoff, int growthInterval) {
        public Config {
            boolean valid = initial >= LEAST
                    && initial <= GREATEST
                    && growth >= 1
                    && Double.isFinite(growth)
                    && backoff > 0
                    && backoff <= 1
                    && growthInterval >= 1;
            if (!valid) {
                throw new KingfisherException("A loss scale starts between 2^-24 and 2^60, grows by at least 1 after at"
                        + " least 1 step and falls by at most 1, not " + initial + ", " + growth + ", " + growthInterval
                        + " and " + backoff + ".");
            }
        }

        /** From 65536, halved and doubled, doubled after 2000 steps: the defaults of PyTorch's {@code GradScaler}. */
        public static Config usual() {
            return new Config(65536, 2, 0.5, 2000);
        }
    }

    private final Config config;
    private final Tensor scale, good, skipped;

    public LossScale(Device device, Config config) {
        this.config = config;
        scale = device.allocate(DType.F32, Shape.SCALAR);
        good = device.allocate(DType.I32, Shape.SCALAR);
        skipped = device.allocate(DType.F64, Shape.SCALAR);
        scale.set(0, config.initial());
    }

    /** What is saved and restored, by name. */
    public Map<String, Tensor> tensors() {
        Map<String, Tensor> all = new LinkedHashMap<>();
        all.put("scale", scale);
        all.put("good_steps", good);
        all.put("skipped_steps", skipped);
        return all;
    }

    /** The scale that the next step uses; reading it waits for the device. */
    public double scale() {
        return scale.item();
    }

    /** The steps so far that changed nothing; reading it waits for the device. */
    public long skipped() {
        return (long) skipped.item();
    }

    /** The scale before this step, an F32 scalar. */
    Value scale(Graph graph) {
        return graph.before(scale);
    }

    /** The steps before this one that changed nothing, an F64 scalar. */
    Value skipped(Graph graph) {
        return graph.before(skipped);
    }

    /** 1 where all numbers are finite, else 0: an F32 scalar. */
    static Value finite(Graph graph, List<Value> values) {
        Expr x = Expr.arg(0);
        // No NaN is less than or equal to anything.
        Expr bad = Expr.select(x.abs().lessOrEqual(Expr.of(Float.MAX_VALUE)), Expr.of(0), Expr.of(1));
        List<Value> counts = values.stream().map(value -> value.map(bad).sum()).toList();
        return counts.isEmpty() ? graph.scalar(1) : graph.sum(counts).map(x.equalTo(Expr.of(0)));
    }

    /** Records what the scale and the counts become after a step whose gradients were all finite, or not. */
    void update(Graph graph, Value finite) {
        Expr ok = Expr.arg(0), before = Expr.arg(1), count = Expr.arg(2).add(1);
        Expr full = Expr.of(config.growthInterval()).lessOrEqual(count);
        Expr grown = before.mul(config.growth()).min(Expr.of(GREATEST));
        Expr fallen = before.mul(config.backoff()).max(Expr.of(LEAST));
        Expr next = Expr.select(ok, Expr.select(full, grown, before), fallen);
        Expr counted = Expr.select(ok, Expr.select(full, Expr.of(0), count), Expr.of(0));
        List<Value> operands = List.of(finite, graph.before(scale), graph.before(good));
        graph.assign(scale, graph.map(next, DType.F32, operands));
        graph.assign(good, graph.map(counted, DType.I32, operands));
        Expr more = Expr.arg(1).add(1).sub(ok);
        graph.assign(skipped, graph.map(more, DType.F64, List.of(finite, graph.before(skipped))));
    }

    @Override
    public void close() {
        scale.close();
        good.close();
        skipped.close();
    }
}
