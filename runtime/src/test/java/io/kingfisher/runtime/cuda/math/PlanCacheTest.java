package io.kingfisher.runtime.cuda.math;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlanCacheTest {
    @TempDir
    Path folder;

    @Test
    void whatOneProcessMeasuredAnotherKnows() {
        Path deep = folder.resolve("made/on/demand");
        new PlanCache(deep).put("a problem", "A:3");
        assertEquals(Optional.of("A:3"), new PlanCache(deep).find("a problem"));
        assertEquals(Optional.empty(), new PlanCache(deep).find("another"));
        new PlanCache(deep).put("a problem", "A:5");
        assertEquals(Optional.of("A:5"), new PlanCache(deep).find("a problem"));
    }

    @Test
    void whatIsDamagedIsMeasuredAgain() throws IOException {
        new PlanCache(folder).put("a problem", "A:3");
        try (var files = Files.list(folder)) {
            Path file = files.toList().getFirst();
            for (String text :
                    new String[] {"", "a problem\n", "another\nA:3\n", "\u0000\ufffd", "a problem\nA:3\nmore\n"}) {
                Files.writeString(file, text);
                assertEquals(Optional.empty(), new PlanCache(folder).find("a problem"), text);
            }
            Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe});
            assertEquals(Optional.empty(), new PlanCache(folder).find("a problem"));
        }
    }

    @Test
    void withoutAFolderItRemembersOnly() {
        PlanCache cache = new PlanCache(null);
        cache.put("a problem", "A:3");
        assertEquals(Optional.of("A:3"), cache.find("a problem"));
    }
}
