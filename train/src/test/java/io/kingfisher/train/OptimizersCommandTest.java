package io.kingfisher.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.train.config.Option;
import io.kingfisher.train.json.Json;
import io.kingfisher.train.methods.Method;
import io.kingfisher.train.methods.Methods;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

/** What users are told of the optimizers, and that it is said of each. */
class OptimizersCommandTest {
    @Test
    void listsEveryMethodWithItsPaperCostMemoryAndDefaults() {
        CommandLineRun run = CommandLineRun.of("optimizers");
        assertEquals(0, run.code(), run.text());
        for (Method method : Methods.all()) {
            assertTrue(run.text().contains(method.name() + ": " + method.facts().title()), method.name());
            assertTrue(run.text().contains(method.facts().paper()), method.name());
        }
        assertTrue(run.text().contains("defaults  init_lr 0.03, damping 0.001, damping_rule factored"), run.text());
        assertTrue(run.text().contains(Methods.all().size() + " optimizers"), run.text());
    }

    @Test
    void explainsAllKeysOfOneInAnyCase() {
        CommandLineRun run = CommandLineRun.of("optimizers", "kfac");
        assertEquals(0, run.code(), run.text());
        for (Option option : Methods.named("KFAC").schema().options().options()) {
            assertTrue(run.text().contains("  " + option.name() + " ")
                    && run.text().contains(option.help()));
        }
        assertFalse(run.text().contains("Adam"), run.text());
    }

    @Test
    void namesTheNearestOfAnUnknownOne() {
        CommandLineRun run = CommandLineRun.of("optimizers", "K-FAC");
        assertEquals(1, run.code());
        assertTrue(run.text().contains("There is no optimizer 'K-FAC'; did you mean KFAC"), run.text());
    }

    @Test
    void jsonHasTheDefaultsAsTheyAre() throws IOException {
        CommandLineRun run = CommandLineRun.of("optimizers", "--json");
        assertEquals(0, run.code(), run.text());
        List<?> all = (List<?>) Json.parse(run.text());
        assertEquals(Methods.all().size(), all.size());
        Map<String, Object> sgd = Json.object(all.getFirst());
        assertEquals("SGD", sgd.get("name"));
        assertEquals(0.1, sgd.get("init_lr"));
        Map<String, Object> momentum = Json.object(((List<?>) sgd.get("keys")).getFirst());
        assertEquals(List.of("momentum", 0.0), List.of(momentum.get("name"), momentum.get("default")));
    }

    /** What the registry promises of each method. */
    @Test
    void everyMethodIsDescribedAndCanDecayWeights() {
        Set<String> names = new HashSet<>();
        for (Method method : Methods.all()) {
            assertTrue(names.add(method.name().toLowerCase(Locale.ROOT)), method.name() + " is there twice");
            assertTrue(method.schema().learningRate() > 0, method.name());
            assertTrue(method.schema().options().knows("weight_decay"), method.name());
            assertTrue(method.facts().paper().matches(".*\\d{4}.*"), method.name() + ": " + method.facts());
            for (String fact : List.of(
                    method.facts().title(),
                    method.facts().cost(),
                    method.facts().memory())) {
                assertFalse(fact.isBlank(), method.name());
            }
        }
    }

    @Test
    void aWrongNameOrKeyInAFileNamesTheNearest() {
        check("optimizer: KFCA", "a.yaml:3: optimizer: 'KFCA' is not known; did you mean 'KFAC'?");
        check(
                "optimizer: KFAC\noptimizer_kwargs:\n  dampin: 1",
                "a.yaml:5: optimizer_kwargs.dampin: KFAC has no key 'dampin'; did you mean 'damping'?");
        check(
                "optimizer: KFAC\noptimizer_kwargs:\n  labels: sample",
                "a.yaml:5: optimizer_kwargs.labels: expected one of sampled, empirical");
        check("optimizer: KFAC\noptimizer_kwargs: {TInv: 0}", "TInv: expected a whole number >= 1");
    }

    private static void check(String yaml, String expected) {
        var error = Assertions.assertThrows(
                KingfisherException.class,
                () -> Methods.reader().parse("dataset: a\nnetwork: b\n" + yaml + "\n", "a.yaml", List.of()));
        assertTrue(error.getMessage().contains(expected), error.getMessage());
    }
}
