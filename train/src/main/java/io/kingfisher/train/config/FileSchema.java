package io.kingfisher.train.config;

import static io.kingfisher.train.config.ValueType.atLeast;
import static io.kingfisher.train.config.ValueType.choice;
import static io.kingfisher.train.config.ValueType.decay;
import static io.kingfisher.train.config.ValueType.fraction;
import static io.kingfisher.train.config.ValueType.positive;
import static io.kingfisher.train.config.ValueType.real;

/** The keys of a configuration file, apart from those of {@code optimizer_kwargs} and {@code scheduler_kwargs}. */
final class FileSchema {
    static final String OPTIMIZER_KWARGS = "optimizer_kwargs";
    static final String SCHEDULER_KWARGS = "scheduler_kwargs";

    private static final ValueType BOOL = new ValueType.Bool();
    private static final ValueType TEXT = new ValueType.Text();

    /** Larger sizes than any model here, small enough that products of a few of them cannot overflow. */
    private static final ValueType SIZE = new ValueType.Whole(1, 1 << 20);

    static final OptionSchema TOP = OptionSchema.of(
            "a configuration",
            Option.required("dataset", TEXT, "what to train on, such as glyphs, MNIST, CIFAR10"),
            Option.unset("data", TEXT, "the folder or file with the data set"),
            Option.required("network", TEXT, "the model, such as lenet, resnet18Cifar, gpt-mini"),
            Option.of("optimizer", TEXT, "AdaFisher", "the optimizer"),
            Option.unset("mode", choice("released", "paper", "relative"), "AdaFisher's variant"),
            Option.of("init_lr", new ValueType.WordOr("auto", positive()), "auto", "the learning rate"),
            Option.of("scheduler", TEXT, "None", "the learning-rate schedule"),
            Option.of(
                    "loss",
                    choice("cross_entropy", "mse", "binary_cross_entropy", "reconstruction"),
                    "cross_entropy",
                    "the loss"),
            Option.of("label_smoothing", decay(), 0.0, "share of each label spread over all classes"),
            Option.of("max_epochs", atLeast(1), 10L, "passes over the training data"),
            Option.unset("max_steps", atLeast(1), "stop after this many steps, whatever the epochs"),
            Option.of("mini_batch_size", new ValueType.Whole(1, 1 << 20), 128L, "samples per step"),
            Option.of("n_trials", new ValueType.Whole(1, 1000), 1L, "runs, with the seeds seed, seed+1, ..."),
            Option.of("seed", new ValueType.Whole(0, Long.MAX_VALUE), 0L, "of every random choice"),
            Option.of("shuffle", BOOL, true, "a new order of the training data each epoch"),
            Option.of("aug", BOOL, false, "random crops and flips of training images"),
            Option.of("cutout", BOOL, false, "blank random squares of training images"),
            Option.of("n_holes", new ValueType.Whole(1, 64), 1L, "squares per image"),
            Option.of("cutout_length", new ValueType.Whole(1, 4096), 16L, "side of a square, in pixels"),
            Option.of(
                    "image_size", auto(new ValueType.Whole(1, 8192)), "auto", "side of images from folders, in pixels"),
            Option.of("train_size", auto(new ValueType.Whole(1, 1 << 30)), "auto", "glyphs drawn to train on"),
            Option.of("test_size", auto(new ValueType.Whole(1, 1 << 30)), "auto", "glyphs drawn to test on"),
            Option.of("num_workers", auto(new ValueType.Whole(0, 1024)), "auto", "threads that prepare the data"),
            Option.of("threads", auto(new ValueType.Whole(1, 1024)), "auto", "threads that compute"),
            Option.of("device", TEXT, "auto", "where to compute"),
            Option.of("deterministic", new ValueType.Bool(), false, "the same bits in every run, on cuda:N too"),
            Option.of("winograd", new ValueType.Bool(), true, "3x3 convolutions with fewer products, on cpu"),
            Option.of("precision", choice("fp32", "tf32", "bf16", "fp16"), "fp32", "of products; all else is fp32"),
            Option.of("early_stop_threshold", real(), -1.0, "least fall of the training loss; negative: never stop"),
            Option.of("early_stop_patience", atLeast(1), 10L, "epochs without that fall before stopping"),
            Option.of("save_freq", atLeast(0), 0L, "keep a checkpoint every so many epochs; 0: only last and best"));

    static final OptionSchema MODEL = OptionSchema.of(
            "model",
            Option.unset("width", SIZE, "features per token, or of the first stage"),
            Option.unset("depth", new ValueType.Whole(1, 1000), "blocks"),
            Option.unset("heads", new ValueType.Whole(1, 1024), "attention heads"),
            Option.unset("hidden", new ValueType.ListOf(SIZE, 1, 100), "sizes of the hidden layers, for MLPs"),
            Option.unset("dropout", decay(), "share of activations dropped while training"),
            Option.unset("tied", BOOL, "the output layer uses the embedding's weights"));

    static final OptionSchema TEXTS = OptionSchema.of(
            "text",
            Option.of("tokenizer", choice("char", "word", "gpt2"), "char", "what a token is"),
            Option.of("context", new ValueType.Whole(1, 1 << 20), 128L, "tokens per sample"),
            Option.of("split", new ValueType.Real(0, true, 1, true), 0.9, "share of the text that is trained on"),
            Option.unset("vocabulary", atLeast(2), "word: the most frequent words that are kept"));

    static final OptionSchema CLIP = OptionSchema.of(
            "clip",
            Option.unset("norm", positive(), "the largest norm of all gradients together"),
            Option.unset("value", positive(), "the largest absolute value of a gradient's entry"));

    static final OptionSchema WARMUP = OptionSchema.of(
            "warmup",
            Option.unset("steps", atLeast(1), "length in steps"),
            Option.unset("epochs", positive(), "length in epochs, instead of steps"),
            Option.of("start_factor", fraction(), 0.0, "the first learning rate over init_lr"));

    private FileSchema() {}

    private static ValueType auto(ValueType type) {
        return new ValueType.WordOr("auto", type);
    }
}
