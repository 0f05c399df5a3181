package io.kingfisher.train.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.train.json.Json;
import io.kingfisher.train.methods.Methods;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class RunConfigTest {
    /** The layout, keys and kinds of values of the image-classification files that AdaFisher's authors published. */
    private static final String PUBLISHED = """
            ###### Application ######
            dataset: 'CIFAR10' # a comment
            network: 'resnet18Cifar'
            optimizer: 'AdaFisher'
            scheduler: 'CosineAnnealingLR'

            init_lr: 0.001
            early_stop_threshold: -1 # off
                                     # a comment line in the middle
            optimizer_kwargs:
              weight_decay: 5e-4
              gamma: 0.8
              Lambda: 1e-3
              dist: False
            scheduler_kwargs:
              T_max: 200
            aug: True
            cutout: True
            n_holes: 1
            cutout_length: 16

            n_trials: 1
            precision: fp32
            num_workers: 5
            max_epochs: 200
            mini_batch_size: 256
            loss: 'cross_entropy'
            early_stop_patience: 10
            """;

    @Test
    void readsThePublishedLayoutUnchanged() {
        RunConfig run = Methods.reader().parse(PUBLISHED, "published.yaml", List.of());

        assertEquals("CIFAR10", run.data().dataset());
        assertEquals(256, run.data().batchSize());
        assertTrue(run.data().augment());
        assertEquals(new DataConfig.Cutout(1, 16), run.data().cutout());
        assertEquals(OptionalInt.of(5), run.data().workers());
        assertEquals("resnet18Cifar", run.model().network());
        assertEquals("AdaFisher", run.optimizer().name());
        assertEquals(1e-3, run.optimizer().learningRate());
        assertEquals(5e-4, run.optimizer().settings().real("weight_decay"));
        assertEquals(1e-3, run.optimizer().settings().real("Lambda"));
        assertEquals(0.8, run.optimizer().settings().real("gamma"));
        assertTrue(run.optimizer().settings().isAuto("TCov"));
        assertEquals(0.9, run.optimizer().settings().real("beta"));
        assertEquals("released", run.optimizer().settings().text("mode"));
        assertEquals("CosineAnnealingLR", run.scheduler().name());
        assertEquals(200, run.scheduler().settings().whole("T_max"));
        assertFalse(run.scheduler().perStep());
        assertEquals(200, run.training().maxEpochs());
        assertEquals(OptionalDouble.empty(), run.training().earlyStopThreshold());
        assertEquals(10, run.training().earlyStopPatience());
        assertEquals(List.of(), run.notes());
    }

    @Test
    void readsThePublishedTransformerPresetWithItsOtherSpelling() {
        String yaml = PUBLISHED
                .replace("'AdaFisher'", "'AdaFisherW'")
                .replace("gamma: 0.8", "gammas: 0.8")
                .replace("Lambda: 1e-3", "Lambda: 3e-3");
        RunConfig run = Methods.reader().parse(yaml, "vit.yaml", List.of());
        assertEquals("AdaFisherW", run.optimizer().name());
        assertEquals(0.8, run.optimizer().settings().real("gamma"));
        assertEquals(3e-3, run.optimizer().settings().real("Lambda"));
    }

    @Test
    void fillsInDefaults() {
        RunConfig run = Methods.reader().parse("{dataset: glyphs, network: lenet}", "a.yaml", List.of());
        assertEquals("AdaFisher", run.optimizer().name());
        assertEquals("None", run.scheduler().name());
        assertEquals(0, run.scheduler().warmup().steps(100));
        assertEquals(0, run.data().cutout().holes());
        assertEquals(OptionalInt.empty(), run.data().workers());
        assertEquals(OptionalInt.empty(), run.training().threads());
        assertEquals(OptionalLong.empty(), run.training().maxSteps());
        assertEquals(0, run.training().seed());
        assertEquals("auto", run.training().device());
        assertTrue(run.data().shuffle());
        assertTrue(run.data().path().isEmpty());
        assertEquals(10, run.optimizer().settings().real("cap"));
        assertEquals(OptionalInt.empty(), run.data().trainSize());
    }

    @Test
    void readsOurOwnKeys() {
        RunConfig run = Methods.reader().parse("""
                dataset: text
                data: ../some folder/input.txt
                network: gpt-mini
                optimizer: adafisherw
                mode: relative
                init_lr: auto
                optimizer_kwargs: {tau: .2, cap: 10, power: 0.5, unmatched: one}
                scheduler: OneCycleLR
                scheduler_kwargs: {max_lr: 1e-3, total_steps: 2e3}
                model: {width: 128, depth: 4, heads: 4, dropout: 0.1, tied: yes}
                text: {tokenizer: char, context: 64, split: .8}
                clip: {norm: 1}
                warmup: {steps: 100, start_factor: 0.01}
                seed: 7
                threads: 2
                max_steps: 1e3
                shuffle: off
                """, "gpt.yaml", List.of());
        assertEquals("AdaFisherW", run.optimizer().name());
        assertEquals(0.3, run.optimizer().learningRate());
        assertEquals("relative", run.optimizer().settings().text("mode"));
        assertEquals("one", run.optimizer().settings().text("unmatched"));
        assertEquals(10, run.optimizer().settings().real("cap"));
        assertEquals(OptionalDouble.of(1), run.optimizer().clipNorm());
        assertEquals(OptionalDouble.empty(), run.optimizer().clipValue());
        assertTrue(run.scheduler().perStep());
        assertEquals(2000, run.scheduler().settings().whole("total_steps"));
        assertEquals(100, run.scheduler().warmup().steps(7));
        assertEquals(0.01, run.scheduler().warmup().startFactor());
        assertEquals(128, run.model().sizes().integer("width"));
        assertTrue(run.model().sizes().flag("tied"));
        assertEquals(
                new DataConfig.Text("char", 64, 0.8, OptionalInt.empty()),
                run.data().text());
        assertEquals(Path.of("../some folder/input.txt"), run.data().path().orElseThrow());
        assertEquals(7, run.training().seed());
        assertEquals(OptionalLong.of(1000), run.training().maxSteps());
        assertFalse(run.data().shuffle());
    }

    @Test
    void warmupMayBeGivenInEpochs() {
        RunConfig run = Methods.reader().parse("{dataset: a, network: b, warmup: {epochs: 0.5}}", "a.yaml", List.of());
        assertEquals(50, run.scheduler().warmup().steps(100));
    }

    @Test
    void splitsBetas() {
        RunConfig run = Methods.reader()
                .parse(
                        "{dataset: a, network: b, optimizer: Adam, optimizer_kwargs: {betas: [0.8, 0.99]}}",
                        "a.yaml",
                        List.of());
        assertEquals(0.8, run.optimizer().settings().real("beta1"));
        assertEquals(0.99, run.optimizer().settings().real("beta2"));
    }

    @Test
    void theCommandLineReplacesTheFile() {
        RunConfig run = Methods.reader()
                .parse(
                        PUBLISHED,
                        "published.yaml",
                        List.of(
                                Setting.set("optimizer_kwargs.Lambda = 0.1"),
                                Setting.set("model.hidden=[10, 20]"),
                                Setting.set("init_lr=1e-2"),
                                Setting.set("init_lr=2e-2"),
                                Setting.option("--seed", "seed", "9"),
                                Setting.option("--data", "data", "C: [odd] & folder")));
        assertEquals(0.1, run.optimizer().settings().real("Lambda"));
        assertEquals(5e-4, run.optimizer().settings().real("weight_decay"));
        assertEquals(List.of(10L, 20L), run.model().sizes().wholes("hidden"));
        assertEquals(2e-2, run.optimizer().learningRate());
        assertEquals(9, run.training().seed());
        assertEquals(Path.of("C: [odd] & folder"), run.data().path().orElseThrow());
        assertEquals("--set init_lr=2e-2", run.source().locate("init_lr").toString());
        assertEquals("published.yaml:3", run.source().locate("network").toString());
    }

    @Test
    void anotherOptimizerOnTheCommandLineLeavesOutTheOldOnesKeysAndSaysSo() {
        RunConfig run = Methods.reader()
                .parse(
                        PUBLISHED,
                        "published.yaml",
                        List.of(Setting.set("optimizer=SGD"), Setting.set("optimizer_kwargs.momentum=0.9")));
        assertEquals("SGD", run.optimizer().name());
        assertEquals(5e-4, run.optimizer().settings().real("weight_decay"));
        assertEquals(0.9, run.optimizer().settings().real("momentum"));
        assertEquals(
                List.of(
                        "published.yaml:12: optimizer_kwargs.gamma is left out: SGD (--set optimizer=SGD) has no such"
                                + " key.",
                        "published.yaml:13: optimizer_kwargs.Lambda is left out: SGD (--set optimizer=SGD) has no such"
                                + " key."),
                run.notes());
    }

    @Test
    void trialsHaveConsecutiveSeeds() {
        RunConfig run = Methods.reader().parse("{dataset: a, network: b, n_trials: 3, seed: 5}", "a.yaml", List.of());
        assertEquals(
                List.of(5L, 6L, 7L),
                run.trials().stream().map(trial -> trial.training().seed()).toList());
        assertEquals(6L, run.trials().get(1).settings().get("seed"));
    }

    @Test
    void settingsCanBeReadAgain() {
        for (String yaml : List.of(
                PUBLISHED,
                "{dataset: a, network: b, optimizer: Adam, scheduler: OneCycleLR, clip: {value: 2}}",
                "{dataset: a, network: b, mode: paper, model: {hidden: [3]}, warmup: {epochs: 1}}")) {
            RunConfig run = Methods.reader().parse(yaml, "a.yaml", List.of());
            String json = Json.write(run.settings());
            RunConfig again = Methods.reader().parse(json, "again.json", List.of());
            assertEquals(run.settings(), again.settings());
            assertEquals(run.optimizer(), again.optimizer());
            assertEquals(run.scheduler(), again.scheduler());
            assertEquals(run.training(), again.training());
            assertEquals(run.data(), again.data());
        }
    }

    @Test
    void theModeDecidesWhatIsAutomatic() {
        String text = "{dataset: a, network: b, optimizer: AdaFisherW, mode: relative}";
        RunConfig relative = Methods.reader().parse(text, "a.yaml", List.of());
        assertEquals(0.3, relative.optimizer().learningRate());
        assertTrue(relative.optimizer().settings().isAuto("TCov"));
        assertEquals(
                1e-3,
                Methods.reader()
                        .parse(text.replace("relative", "paper"), "a.yaml", List.of())
                        .optimizer()
                        .learningRate());
        assertEquals(
                0.2,
                Methods.reader()
                        .parse(text.replace("}", ", init_lr: 0.2}"), "a.yaml", List.of())
                        .optimizer()
                        .learningRate());
    }

    @Test
    void otherModulesCanAddOptimizers() {
        var kfac = new OptimizerSchema(
                OptionSchema.of("KFAC", Option.of("damping", ValueType.positive(), 0.03, "the damping")), 0.3);
        RunConfig run = Methods.reader()
                .withOptimizer(kfac)
                .parse("{dataset: a, network: b, optimizer: kfac}", "a.yaml", List.of());
        assertEquals(0.3, run.optimizer().learningRate());
        assertEquals(Map.of("damping", 0.03), run.optimizer().settings().values());
    }

    @Test
    void theFilesInConfigsAreReadWithoutNotes() throws IOException {
        try (var files = Files.list(Path.of("../configs"))) {
            List<Path> configs =
                    files.filter(file -> file.toString().endsWith(".yaml")).toList();
            assertTrue(configs.size() >= 4, "configs/ has its samples");
            for (Path file : configs) {
                assertEquals(List.of(), Methods.reader().load(file, List.of()).notes(), file.toString());
            }
        }
        RunConfig quickstart = Methods.reader().load(Path.of("../configs/quickstart.yaml"), List.of());
        assertEquals("glyphs", quickstart.data().dataset());
        assertTrue(quickstart.data().path().isEmpty(), "the quickstart needs no files");
    }

    @Test
    void helpNamesEveryKey() {
        String help = Methods.reader().help();
        for (String key : List.of(
                "init_lr", "mode", "TCov", "T_max", "nesterov", "milestones", "context", "start_factor", "unmatched")) {
            assertTrue(help.contains("  " + key + " "), key);
        }
    }
}
