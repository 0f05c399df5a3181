package io.kingfisher.layers;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.BatchNorm;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import java.util.Optional;

/**
 * Batch normalisation (Ioffe and Szegedy, 2015) of images [N x C x H x W] by channel: with the batch's statistics in
 * training, with running ones in evaluation. The running mean and (unbiased) variance move a tenth of the way to the batch's
 * in each pass that observes. Every row of a batch counts, so that rows which only fill up a batch do as well.
 */
public final class BatchNorm2d extends Layer {
    private static final double EPSILON = 1e-5, MOMENTUM = 0.1;

    private final long channels;
    private final double epsilon, momentum;
    private final Parameter weight, bias;
    private final Buffer runningMean, runningVariance, batches;

    public BatchNorm2d(long channels) {
        this(channels, EPSILON, MOMENTUM);
    }

    /**
     * @param epsilon added to the variance
     * @param momentum the weight of the batch's statistics in the running ones
     */
    public BatchNorm2d(long channels, double epsilon, double momentum) {
        this.channels = channels;
        this.epsilon = epsilon;
        this.momentum = momentum;
        Shape shape = Shape.of(channels);
        this.weight = parameter("weight", shape, Initializer.constant(1));
        this.bias = parameter("bias", shape, Initializer.constant(0));
        this.runningMean = buffer("running_mean", DType.F32, shape, 0);
        this.runningVariance = buffer("running_var", DType.F32, shape, 1);
        this.batches = buffer("num_batches_tracked", DType.I32, Shape.SCALAR, 0);
    }

    public Parameter weight() {
        return weight;
    }

    public Parameter bias() {
        return bias;
    }

    public Buffer runningMean() {
        return runningMean;
    }

    public Buffer runningVariance() {
        return runningVariance;
    }

    /** The number of passes that the running statistics have seen. */
    public Buffer batches() {
        return batches;
    }

    @Override
    protected Value forward(Recording r, Value x) {
        if (x.rank() != 4 || x.dim(1) != channels) {
            throw new KingfisherException(
                    label() + " takes images [N x " + channels + " x H x W], not " + x.type() + ".");
        }
        return r.training() ? withBatch(r, x) : withRunning(r, x);
    }

    private Value withBatch(Recording r, Value x) {
        long count = x.shape().elements() / Math.max(channels, 1);
        if (count < 2) {
            throw new KingfisherException(label() + " cannot normalise one number per channel in training (input "
                    + x.type() + "); use a larger batch.");
        }
        Node node = r.graph().add(new BatchNorm(epsilon), x, r.value(weight), r.value(bias));
        Value s = node.output(0), mean = node.output(1), variance = node.output(2);
        if (r.observing()) {
            r.assign(runningMean, towards(r.value(runningMean), mean, 1));
            r.assign(runningVariance, towards(r.value(runningVariance), variance, count / (count - 1.0)));
            // By way of F64, as F32 stops counting at 2^24.
            r.assign(batches, r.value(batches).cast(DType.F64).add(1).cast(DType.I32));
        }
        r.capture(new Capture.BatchNorm2d(this, weight, Optional.of(bias), x, s, mean, variance, epsilon));
        return s;
    }

    private Value towards(Value running, Value batch, double scale) {
        Expr moved = Expr.arg(0).mul(1 - momentum).add(Expr.arg(1).mul(momentum * scale));
        return running.graph().map(moved, running, batch.detach());
    }

    private Value withRunning(Recording r, Value x) {
        Expr normal = Expr.arg(0).sub(Expr.arg(1)).div(Expr.arg(2).add(epsilon).sqrt());
        List<Value> perChannel = List.of(
                perChannel(r.value(runningMean)),
                perChannel(r.value(runningVariance)),
                perChannel(r.value(weight)),
                perChannel(r.value(bias)));
        Expr y = normal.mul(Expr.arg(3)).add(Expr.arg(4));
        return r.graph().map(y, x, perChannel.get(0), perChannel.get(1), perChannel.get(2), perChannel.get(3));
    }

    private Value perChannel(Value v) {
        return v.reshape(channels, 1, 1);
    }
}
