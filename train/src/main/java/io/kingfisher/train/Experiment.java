package io.kingfisher.train;

import io.kingfisher.layers.Layer;
import io.kingfisher.layers.LossScale;
import io.kingfisher.layers.Precision;
import io.kingfisher.layers.models.Models;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.train.config.DataConfig;
import io.kingfisher.train.config.RunConfig;
import io.kingfisher.train.data.Augmentation;
import io.kingfisher.train.data.DataLoader;
import io.kingfisher.train.data.DataSpec;
import io.kingfisher.train.data.DataSplits;
import io.kingfisher.train.data.Datasets;
import io.kingfisher.train.data.Glyphs;
import io.kingfisher.train.data.ImageDataset;
import io.kingfisher.train.data.LoaderOptions;
import io.kingfisher.train.data.TextOptions;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/** Everything that a configuration describes, opened: closing it frees all of it in the reverse order. */
final class Experiment implements AutoCloseable {
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private final RunConfig config;
    private final Device device;
    private final DataSplits data;
    private final Task task;
    private final Layer model;
    private final Optimizer optimizer;
    private final Optional<LossScale> lossScale;
    private final Programs programs;
    private final DataLoader trainLoader;
    private final DataLoader testLoader;

    /**
     * @param devices opens the device that the configuration asks for
     */
    Experiment(RunConfig config, Function<RunConfig, Device> devices) {
        this.config = config;
        try {
            device = open(devices.apply(config));
            data = open(Datasets.open(spec(config)));
            task = new Task(data.train(), config);
            model = open(model(config, task));
            model.initialize(device, config.training().seed());
            optimizer = open(Optimizers.create(device, model, config));
            Precision precision = Precision.of(config.training().precision());
            lossScale = precision == Precision.FP16
                    ? Optional.of(open(new LossScale(device, LossScale.Config.usual())))
                    : Optional.empty();
            programs = open(new Programs(device, task, model, optimizer, precision, lossScale));
            trainLoader = open(new DataLoader(data.train(), training(config)));
            testLoader = open(new DataLoader(data.test(), evaluation(config)));
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private <T extends AutoCloseable> T open(T thing) {
        opened.push(thing);
        return thing;
    }

    /**
     * Opens the device that a configuration asks for.
     *
     * @param profiled whether every operation runs on its own, named for profilers
     */
    static Device device(RunConfig config, boolean profiled) {
        DeviceOptions options = DeviceOptions.defaults()
                .withTf32(Precision.of(config.training().precision()) == Precision.TF32)
                .withWinograd(config.training().winograd())
                .withDeterministic(config.training().deterministic())
                .withExecution(profiled ? DeviceOptions.Execution.PLAIN : DeviceOptions.Execution.GRAPH);
        OptionalInt threads = config.training().threads();
        try {
            return Device.open(
                    config.training().device(),
                    threads.isPresent() ? options.withThreads(threads.getAsInt()) : options);
        } catch (KingfisherException e) {
            if (options.tf32() && !config.training().device().startsWith("cuda")) {
                throw config.source().error("precision", e.getMessage());
            }
            throw e;
        }
    }

    private static DataSpec spec(RunConfig config) {
        DataConfig given = config.data();
        DataSpec spec = DataSpec.of(given.dataset())
                .withText(new TextOptions(
                        TextOptions.Tokens.of(given.text().tokenizer()),
                        given.text().context(),
                        1 - given.text().split(),
                        given.text().vocabulary().orElse(TextOptions.DEFAULT.maxVocabulary())))
                .withSizes(
                        given.trainSize().orElse(Glyphs.TRAIN_SIZE),
                        given.testSize().orElse(Glyphs.TEST_SIZE))
                .withImageSize(given.imageSize().orElse(0));
        return given.path().map(spec::withPath).orElse(spec);
    }

    private static Layer model(RunConfig config, Task task) {
        String name = config.model().network();
        if (!Models.knows(name)) {
            throw config.source().unknownName("network", name, Models.names());
        }
        if (name.equalsIgnoreCase("autoencoder") != task.reconstruction()) {
            throw config.source()
                    .error("loss", "the network autoencoder, and no other, is trained with the loss reconstruction.");
        }
        try {
            return Models.create(
                    name, task.sample(), task.classes(), config.model().sizes().values());
        } catch (KingfisherException e) {
            throw config.source().error("model", e.getMessage());
        }
    }

    private static LoaderOptions training(RunConfig config) {
        DataConfig given = config.data();
        Augmentation augmentation = given.augment() ? Augmentation.CROP_AND_FLIP : Augmentation.NONE;
        if (given.cutout().holes() > 0) {
            augmentation = augmentation.withCutout(
                    given.cutout().holes(), given.cutout().length());
        }
        return LoaderOptions.training(given.batchSize(), config.training().seed())
                .withShuffle(given.shuffle())
                .withWorkers(given.workers().orElse(1))
                .withAugmentation(augmentation);
    }

    private static LoaderOptions evaluation(RunConfig config) {
        return LoaderOptions.evaluation(config.data().batchSize())
                .withWorkers(config.data().workers().orElse(1));
    }

    RunConfig config() {
        return config;
    }

    Device device() {
        return device;
    }

    DataSplits data() {
        return data;
    }

    Task task() {
        return task;
    }

    Layer model() {
        return model;
    }

    Optimizer optimizer() {
        return optimizer;
    }

    /** The scale of the loss, where the precision needs one. */
    Optional<LossScale> lossScale() {
        return lossScale;
    }

    Programs programs() {
        return programs;
    }

    DataLoader trainLoader() {
        return trainLoader;
    }

    DataLoader testLoader() {
        return testLoader;
    }

    /** What is trained on what, in a few words. */
    String subject() {
        return config.model().network() + " on " + config.data().dataset() + ", "
                + config.optimizer().name()
                + (config.optimizer().name().startsWith("AdaFisher")
                        ? " (" + config.optimizer().settings().text("mode") + ")"
                        : "");
    }

    /** The shape of an image, for messages. */
    String sampleText() {
        return data.train() instanceof ImageDataset
                ? task.sample() + " images, " + task.classes() + " classes"
                : task.sample().dim(0) + " tokens of a vocabulary of " + task.classes();
    }

    @Override
    public void close() {
        while (!opened.isEmpty()) {
            try {
                opened.pop().close();
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new KingfisherException("A part of the run could not be closed: " + e.getMessage(), e);
            }
        }
    }
}
