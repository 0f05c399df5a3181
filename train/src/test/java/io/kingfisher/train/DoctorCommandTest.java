package io.kingfisher.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What a machine is told about itself; how libraries are found and rejected has tests of its own. */
class DoctorCommandTest {
    /** Each of NVIDIA's libraries is found, with its path, or not: then what to install, and what was passed over and why. */
    @Test
    void saysOfEveryLibraryWhatIsThereAndWhatIsNot() {
        CommandLineRun run = CommandLineRun.of("doctor");
        assertEquals(0, run.code(), run.text());
        List<String> lines = run.text().lines().toList();
        for (String name : List.of("cuda", "cublaslt", "cublas", "nvrtc", "cudnn", "cusolver", "nccl", "nvtx")) {
            int at = 0;
            while (at < lines.size() && !lines.get(at).strip().startsWith(name + " ")) {
                at++;
            }
            assertTrue(at < lines.size(), () -> name + " is not told of: " + run.text());
            if (lines.get(at).contains("not found")) {
                assertTrue(lines.get(at).contains("not found: install "), lines.get(at));
                assertTrue(lines.get(at + 1).strip().startsWith("not "), run.text());
            } else {
                assertTrue(lines.get(at).contains("(/"), lines.get(at));
            }
        }
    }

    @Test
    void withoutAGpuItTrainsOnTheProcessorAndSaysWhy() {
        CommandLineRun run = CommandLineRun.of("doctor");
        assumeTrue(!run.text().contains("training  on cuda:0"), "this machine has a GPU");
        assertTrue(run.text().contains("training  on cpu"), run.text());
        assertTrue(run.text().contains("The device cuda:0 cannot be opened: "), run.text());
        assertTrue(run.text().contains("dnnl ") && run.text().contains("openblas "), run.text());
    }
}
