package io.kingfisher.train.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.train.methods.Methods;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigErrorsTest {
    @TempDir
    private Path folder;

    private static String message(String yaml, String... sets) {
        List<Setting> settings = Arrays.stream(sets).map(Setting::set).toList();
        return assertThrows(KingfisherException.class, () -> Methods.reader().parse(yaml, "a.yaml", settings))
                .getMessage();
    }

    private static final String TOP = "dataset: glyphs\nnetwork: lenet\n";

    @Test
    void aWrongKeyNamesFileLineKeyAndTheNearestName() {
        assertTrue(message(TOP + "int_lr: 1")
                .startsWith("a.yaml:3: int_lr: 'int_lr' is not known; did you mean 'init_lr'?"));
        assertTrue(message(TOP + "optimizer_kwargs:\n  beta: 0.9\n  lambda: 1")
                .startsWith("a.yaml:5: optimizer_kwargs.lambda: AdaFisher has no key 'lambda'; did you mean 'Lambda'?"
                        + " Its keys are: beta, Lambda,"));
        assertTrue(message(TOP, "optimizer_kwargs.Tcov=3")
                .startsWith("--set optimizer_kwargs.Tcov=3: optimizer_kwargs.Tcov: AdaFisher has no key 'Tcov'; did you"
                        + " mean 'TCov'?"));
        assertTrue(message(TOP + "zzzzzzzzzz: 1").startsWith("a.yaml:3: zzzzzzzzzz: 'zzzzzzzzzz' is not known; Known"));
    }

    @Test
    void aWrongValueNamesWhatWasExpected() {
        assertEquals(
                "a.yaml:3: init_lr: expected a number > 0, or 'auto', found 'fast'.", message(TOP + "init_lr: fast"));
        assertEquals(
                "a.yaml:3: mode: expected one of released, paper, relative, found 'papr'; did you mean 'paper'?",
                message(TOP + "mode: papr"));
        assertEquals(
                "a.yaml:3: mini_batch_size: expected a whole number from 1 to 1048576, found '0'.",
                message(TOP + "mini_batch_size: 0"));
        assertEquals(
                "a.yaml:3: max_epochs: expected a whole number >= 1, found '1.5'.", message(TOP + "max_epochs: 1.5"));
        assertEquals("a.yaml:3: seed: expected a whole number >= 0, found a list.", message(TOP + "seed: [1]"));
        assertEquals("a.yaml:3: aug: expected true or false, found nothing.", message(TOP + "aug:"));
        assertEquals(
                "a.yaml:3: optimizer_kwargs.gamma: expected a number in (0, 1], found a list.",
                message(TOP + "optimizer_kwargs: {gamma: [0.92, 0.008]}"));
        assertEquals("a.yaml:3: model: expected a map of keys, found 'big'.", message(TOP + "model: big"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "optimizer: AdaFihser | did you mean 'AdaFisher'?",
                "optimizer: Nesterov | 'Nesterov' is not known",
                "scheduler: CosineAnealingLR | did you mean 'CosineAnnealingLR'?",
                "precision: fp8 | expected one of fp32, tf32, bf16, fp16",
                "clip: {nrom: 1} | did you mean 'norm'?",
                "warmup: {steps: 1, epochs: 1} | keep one of them",
                "early_stop_patience: 0 | >= 1",
                "init_lr: .nan | a number > 0",
                "init_lr: 1e999 | a number > 0",
                "max_epochs: 99999999999999999999 | a whole number",
                "max_epochs: 3000000000 | a whole number",
                "text: {split: 1} | a number in (0, 1)",
                "{a: 1}: 2 | key must be a plain word"
            })
    void refuses(String line, String expected) {
        String message = message(TOP + line);
        assertTrue(message.contains(expected), message);
        assertTrue(message.startsWith("a.yaml:3: "), message);
    }

    @Test
    void refusesSettingsThatContradictEachOther() {
        assertTrue(message(TOP + "optimizer: SGD\nmode: paper").contains("SGD has no modes"));
        assertTrue(message(TOP + "mode: paper\noptimizer_kwargs: {mode: paper}").contains("keep one of them"));
        assertTrue(
                message(TOP + "optimizer_kwargs:\n  gamma: 0.1\n  gammas: 0.2").contains("another name for 'gamma'"));
        assertTrue(
                message(TOP + "optimizer: SGD\noptimizer_kwargs: {Lambda: 1}").contains("SGD has no key 'Lambda'"));
        assertTrue(message(TOP + "optimizer: Adam\noptimizer_kwargs: {beta1: 0.1, betas: [0.1, 0.2]}")
                .contains("sets beta1 too"));
        assertTrue(
                message(TOP + "optimizer: Adam\noptimizer_kwargs: {betas: 0.1}").contains("a list of 2 numbers"));
        assertTrue(message(TOP + "optimizer: Adam\noptimizer_kwargs: {betas: [0.1, 1.5]}")
                .contains("[0, 1)"));
        assertTrue(message(TOP + "scheduler: StepLR").contains("scheduler_kwargs.step_size: is missing"));
        assertTrue(message(TOP + "scheduler: MultiStepLR\nscheduler_kwargs: {milestones: []}")
                .contains("a list"));
        assertTrue(message("dataset: glyphs").startsWith("a.yaml: network: is missing"));
    }

    @Test
    void laterErrorsStillPointAtTheLine() {
        RunConfig run = Methods.reader().parse(TOP + "model:\n  width: 3\n", "a.yaml", List.of());
        assertEquals(
                "a.yaml:2: network: 'lenet' is not known; did you mean 'lenet5'? Known are: mlp-small, lenet5.",
                run.source()
                        .unknownName("network", "lenet", List.of("mlp-small", "lenet5"))
                        .getMessage());
        assertEquals(
                "a.yaml:4: model.width: is odd.",
                run.source().error("model.width", "is odd.").getMessage());
        assertEquals(
                "a.yaml:3: model.heads: is missing.",
                run.source().error("model.heads", "is missing.").getMessage());
        assertEquals(
                "a.yaml: seed: is odd.", run.source().error("seed", "is odd.").getMessage());
    }

    @Test
    void refusesWhatIsNotOnePlainDocument() {
        assertEquals("a.yaml: empty; a run needs at least the keys 'dataset' and 'network'.", message(""));
        assertEquals("a.yaml: empty; a run needs at least the keys 'dataset' and 'network'.", message("# nothing\n"));
        assertTrue(message("---\n").contains("expected 'key: value' lines at the top level, found nothing"));
        assertTrue(message("- a\n- b\n").startsWith("a.yaml:1: expected 'key: value' lines"));
        assertTrue(message(TOP + "---\ndataset: a\n").startsWith("a.yaml:3: a second document"));
        assertTrue(
                message(TOP + "dataset: a\n").startsWith("a.yaml:3: the key 'dataset' was already given at a.yaml:1"));
        assertTrue(message(TOP + "data: &x a\n").startsWith("a.yaml:3: anchors and aliases"));
        assertTrue(message(TOP + "data: !!java.io.File [a]\n").startsWith("a.yaml:3: tags"));
        assertTrue(message(TOP + "data: [a\nseed: 1\n").contains("not valid YAML"));
        assertTrue(message(TOP + "\tdata: a\n").startsWith("a.yaml:3: not valid YAML"));
        assertTrue(message(TOP + "data: a\u0007b\n").startsWith("a.yaml:3: the character U+0007"));
        assertTrue(message(TOP + "data: " + "[".repeat(100_000)).contains("nested more than"));
        assertTrue(message(TOP + "data: " + "{a: ".repeat(10_000)).contains("nested more than"));
        assertTrue(message(TOP + "data: &a [*a]").contains("anchors and aliases"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "=1", ".a=1", "a.=1", "a..b=1"})
    void refusesOverridesThatAreNotAssignments(String text) {
        var e = assertThrows(KingfisherException.class, () -> Setting.set(text));
        assertTrue(e.getMessage().contains("expected key=value"), e.getMessage());
    }

    @Test
    void refusesOverridesWithWrongValues() {
        assertTrue(message(TOP, "init_lr=").startsWith("--set init_lr=: init_lr: expected a number > 0"));
        assertTrue(message(TOP, "init_lr=[1").startsWith("--set init_lr=[1: not valid YAML"));
        assertTrue(message(TOP, "init_lr.x=1").contains("init_lr: expected a number > 0, or 'auto', found a map"));
    }

    @Test
    void refusesFilesThatCannotBeRead() throws IOException {
        Path latin = Files.write(
                folder.resolve("latin.yaml"), "dataset: a\nnetwork: \u00e9\n".getBytes(StandardCharsets.ISO_8859_1));
        assertEquals(latin + ":2: not UTF-8 text (byte 20); save the file as UTF-8.", messageOf(latin));
        Path missing = folder.resolve("missing.yaml");
        assertTrue(messageOf(missing).contains("there is no such file"));
        assertTrue(messageOf(folder).contains("it is a folder"));
        Path large = Files.write(folder.resolve("large.yaml"), new byte[YamlReader.MAX_BYTES + 1]);
        assertTrue(messageOf(large).contains("larger than"));
        Path marked = Files.writeString(folder.resolve("bom.yaml"), "\uFEFF" + TOP);
        assertEquals("glyphs", Methods.reader().load(marked, List.of()).data().dataset());
    }

    private static String messageOf(Path file) {
        return assertThrows(KingfisherException.class, () -> Methods.reader().load(file, List.of()))
                .getMessage();
    }

    @Test
    void editDistanceCountsSwaps() {
        assertEquals(0, NearestName.distance("abc", "abc"));
        assertEquals(1, NearestName.distance("abc", "acb"));
        assertEquals(3, NearestName.distance("kitten", "sitting"));
        assertEquals(3, NearestName.distance("", "abc"));
    }

    /** Whatever a file holds, there is a configuration or one clear error: never another exception. */
    @Test
    void damagedFilesGiveOneKindOfError() throws IOException {
        byte[] whole = (TOP + """
                optimizer: AdaFisher
                init_lr: 1e-3
                optimizer_kwargs: {weight_decay: 5e-4, betas: [0.9, 0.99], mode: "paper"}
                scheduler: CosineAnnealingLR
                scheduler_kwargs:
                  T_max: 200 # all of it
                model:
                  hidden:
                    - 10
                    - 20
                text: {tokenizer: 'char', context: 64}
                """).getBytes(StandardCharsets.UTF_8);
        byte[] alphabet = ":-#[]{},&*!|>'\"%@`\n\t 0aé\u0000\u2028".getBytes(StandardCharsets.UTF_8);
        var random = new Random(1);
        Path file = folder.resolve("damaged.yaml");
        for (int i = 0; i < 4000; i++) {
            byte[] damaged = Arrays.copyOf(whole, i % 4 == 0 ? random.nextInt(whole.length) : whole.length);
            for (int j = random.nextInt(6); j > 0 && damaged.length > 0; j--) {
                damaged[random.nextInt(damaged.length)] =
                        random.nextInt(3) == 0 ? (byte) random.nextInt(256) : alphabet[random.nextInt(alphabet.length)];
            }
            Files.write(file, damaged);
            try {
                Methods.reader().load(file, List.of());
            } catch (KingfisherException e) {
                assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
            }
        }
    }
}
