package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The README's example of embedding: it compiles, it learns, and it is what the README shows. */
class ReadmeExampleTest {
    @Test
    void learnsTheDisc() {
        double accuracy = ReadmeExample.train(400);
        assertTrue(accuracy > 0.95, "accuracy " + accuracy);
    }

    @Test
    void isWhatTheReadmeShows() throws IOException {
        var source = Path.of("src/test/java/io/kingfisher/optimizers/ReadmeExample.java");
        var shown = between(Files.readAllLines(Path.of("../README.md")), "```java", "```");
        assertEquals(
                String.join("\n", Files.readAllLines(source)).strip(),
                String.join("\n", shown).strip());
    }

    private static List<String> between(List<String> lines, String first, String last) {
        int from = lines.indexOf(first);
        assertTrue(from >= 0, "README.md has no line " + first);
        int to = from + 1 + lines.subList(from + 1, lines.size()).indexOf(last);
        return lines.subList(from + 1, to);
    }
}
