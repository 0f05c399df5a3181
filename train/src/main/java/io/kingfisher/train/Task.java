package io.kingfisher.train;

import io.kingfisher.layers.BinaryCrossEntropy;
import io.kingfisher.layers.CrossEntropy;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Likelihood;
import io.kingfisher.layers.LossValue;
import io.kingfisher.layers.MeanSquaredError;
import io.kingfisher.layers.Recording;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.train.config.RunConfig;
import io.kingfisher.train.data.DataLoader;
import io.kingfisher.train.data.Dataset;
import io.kingfisher.train.data.ImageDataset;
import io.kingfisher.train.data.TokenDataset;
import java.util.List;

/** What a data set asks of a model: the types of a batch, the loss, and how right the model is. */
final class Task {
    /**
     * What a batch's forward pass records: the loss, F32 counts of right guesses among the first 1 and 5, and the sum of an
     * autoencoder's squared errors.
     */
    record Outcome(LossValue loss, Value top1, Value top5, Value error) {}

    private final Dataset dataset;
    private final int batch;
    private final String loss;
    private final double smoothing;

    Task(Dataset dataset, RunConfig config) {
        this.dataset = dataset;
        this.batch = config.data().batchSize();
        this.loss = config.training().loss();
        this.smoothing = config.training().labelSmoothing();
        if (language() && !loss.equals("cross_entropy")) {
            throw config.source().error("loss", "text is trained with cross_entropy, not " + loss + ".");
        }
    }

    /** Whether the next token is to be told, rather than an image's class. */
    boolean language() {
        return dataset instanceof TokenDataset;
    }

    /** Whether an image is to be made again, rather than its class told. */
    boolean reconstruction() {
        return loss.equals("reconstruction");
    }

    /** Whether right guesses are counted in every training step. */
    boolean ranked() {
        return !language() && !reconstruction();
    }

    /** Whether a guess among the first five says something. */
    boolean topFive() {
        return ranked() && dataset.classes() > 5;
    }

    /** One sample: [C x H x W] or [T]. */
    Shape sample() {
        return switch (dataset) {
            case ImageDataset images -> Shape.of(images.channels(), images.height(), images.width());
            case TokenDataset tokens -> Shape.of(tokens.context());
        };
    }

    int classes() {
        return dataset.classes();
    }

    private Type inputType() {
        return new Type(language() ? DType.I32 : DType.F32, Shape.of(batch).concat(sample()));
    }

    private Type targetType() {
        return new Type(DType.I32, language() ? Shape.of(batch).concat(sample()) : Shape.of(batch));
    }

    /** Records inputs {@code x} and {@code y}, the model and the loss; counts right guesses where {@code scored}. */
    Outcome record(Recording r, Layer model, boolean training, boolean scored) {
        Graph graph = r.graph();
        Value x = graph.input("x", inputType()), labels = graph.input("y", targetType());
        if (reconstruction()) {
            return reconstruct(r, model, x, labels);
        }
        Value prediction = model.apply(r, x);
        // Smoothing is for learning; what is reported for held-out data is the plain loss.
        CrossEntropy cross = new CrossEntropy(training ? smoothing : 0, DataLoader.IGNORE);
        LossValue value = switch (loss) {
            case "cross_entropy" -> cross.apply(r, prediction, labels);
            case "mse" -> elementwise(r, cross, prediction, labels, false);
            case "binary_cross_entropy" -> elementwise(r, cross, prediction, labels, true);
            default -> throw new KingfisherException("There is no loss '" + loss + "'.");
        };
        Value none = graph.scalar(0);
        return new Outcome(
                value,
                scored ? cross.correct(prediction, labels, 1) : none,
                scored && topFive() ? cross.correct(prediction, labels, 5) : none,
                none);
    }

    /** The cross-entropy of an image's pixels in [0, 1] and what is made of them; both are summed over pixels. */
    private Outcome reconstruct(Recording r, Layer model, Value x, Value labels) {
        Graph graph = r.graph();
        Value valid = new CrossEntropy(0, DataLoader.IGNORE).valid(labels).reshape(batch, 1);
        Value pixels = pixels(x);
        Value target = pixels.reshape(batch, sample().elements());
        Value logits = model.apply(r, pixels);
        LossValue all = new BinaryCrossEntropy(true, true).apply(r, logits.mul(valid), target);
        // A row of zeros adds log 2 for each pixel, whatever its target.
        double empty = Math.log(2) * sample().elements();
        Value error =
                graph.map(Expr.arg(0).sigmoid().sub(Expr.arg(1)).square().mul(Expr.arg(2)), logits, target, valid);
        return new Outcome(counted(all, valid.sum(), empty, 1), graph.scalar(0), graph.scalar(0), error.sum());
    }

    /** What was subtracted and divided when a batch was made, put back. */
    private Value pixels(Value x) {
        ImageDataset images = (ImageDataset) dataset;
        Graph graph = x.graph();
        Value channel = graph.iota(DType.I32, images.channels());
        Expr mean = Expr.of(0), deviation = Expr.of(1);
        for (int c = 0; c < images.channels(); c++) {
            Expr here = Expr.arg(0).equalTo(Expr.of(c));
            mean = Expr.select(here, Expr.of(images.mean()[c]), mean);
            deviation = Expr.select(here, Expr.of(images.std()[c]), deviation);
        }
        Value means = graph.map(mean, DType.F32, List.of(channel)).reshape(images.channels(), 1, 1);
        Value deviations = graph.map(deviation, DType.F32, List.of(channel)).reshape(images.channels(), 1, 1);
        return graph.map(Expr.arg(0).mul(Expr.arg(1)).add(Expr.arg(2)), x, deviations, means);
    }

    /** A loss against one-hot targets; rows that do not count are taken out again. */
    private LossValue elementwise(Recording r, CrossEntropy cross, Value logits, Value labels, boolean binary) {
        Graph graph = r.graph();
        Value valid = cross.valid(labels);
        Value column = valid.reshape(batch, 1);
        Value oneHot = graph.iota(DType.I32, classes()).equalTo(labels.reshape(batch, 1));
        Value kept = logits.mul(column);
        LossValue all = binary
                ? new BinaryCrossEntropy(true).apply(r, kept, oneHot)
                : new MeanSquaredError().apply(r, kept, oneHot);
        // A row of zeros adds log 2 for each class to the binary loss and nothing to the squared one.
        double empty = binary ? Math.log(2) * classes() : 0;
        return counted(all, valid.sum(), empty, classes());
    }

    /** The loss without what rows that do not count have added to it: each {@code empty}. */
    private LossValue counted(LossValue all, Value rows, double empty, int terms) {
        Graph graph = rows.graph();
        Expr sum = Expr.arg(0).sub(Expr.of(batch).sub(Expr.arg(1)).mul(empty));
        Value total = graph.map(sum, all.sum(), rows), count = rows.mul(terms);
        Value mean = graph.map(Expr.arg(0).div(Expr.arg(1).max(Expr.of(1))), total, count);
        List<Likelihood> likelihoods =
                all.likelihoods().stream().map(l -> l.withCount(rows)).toList();
        return new LossValue(total, count, mean, likelihoods);
    }
}
