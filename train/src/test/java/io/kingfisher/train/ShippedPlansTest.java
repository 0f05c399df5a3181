package io.kingfisher.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.models.Models;
import io.kingfisher.train.config.ComparePlan;
import io.kingfisher.train.config.ComparePlanReader;
import io.kingfisher.train.methods.Methods;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The plans in configs/compare are good ones, with plain SGD in each. */
class ShippedPlansTest {
    private static final Path FOLDER = Path.of("..", "configs", "compare");

    static List<Path> plans() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            return files.sorted().toList();
        }
    }

    @Test
    void thereAreThree() throws IOException {
        assertEquals(3, plans().size());
    }

    @ParameterizedTest
    @MethodSource("plans")
    void canBeRun(Path file) {
        ComparePlan plan = new ComparePlanReader(Methods.reader()).load(file, List.of());
        assertEquals(3, plan.seeds().size());
        assertTrue(plan.target().isPresent());
        assertTrue(plan.entries().stream()
                .anyMatch(entry -> entry.config().optimizer().name().equals("SGD")));
        for (ComparePlan.Entry entry : plan.entries()) {
            assertTrue(Models.knows(entry.config().model().network()), file.toString());
            if (plan.budget().timed()) {
                double initial = entry.config().optimizer().learningRate();
                assertEquals(initial, LearningRate.ofShares(entry.config(), 100).at(0.0, 0), 1e-12);
            }
        }
    }
}
