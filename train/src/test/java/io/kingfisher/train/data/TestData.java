package io.kingfisher.train.data;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** Real data that some tests use where it is there: $KINGFISHER_DATA, or ../shared/data beside the repository. */
final class TestData {
    private TestData() {}

    /** A file or folder of the real data; the calling test is skipped, saying so, where it is absent. */
    static Path require(String relative) {
        String configured = System.getenv("KINGFISHER_DATA");
        // Tests run in the module's folder.
        Path root = configured != null
                ? Path.of(configured)
                : Path.of("").toAbsolutePath().resolve("../../shared/data");
        Path path = root.resolve(relative).normalize();
        Assumptions.assumeTrue(Files.exists(path), () -> "skipped: no real data at " + path + " (set KINGFISHER_DATA)");
        return path;
    }
}
