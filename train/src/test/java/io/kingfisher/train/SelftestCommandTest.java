package io.kingfisher.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The checks of a device, run on the processor; the operations have a test of their own in the runtime. */
class SelftestCommandTest {
    @ParameterizedTest
    @ValueSource(strings = {"two runs", "memory", "refuse", "survived", "frees"})
    void theProcessorPasses(String only) {
        CommandLineRun run = CommandLineRun.of("selftest", "--device", "cpu", "--threads", "1", "--only", only);
        assertEquals(0, run.code(), run.text());
        assertTrue(run.text().contains("cpu: all checks passed"), run.text());
        assertFalse(run.text().contains("FAILED"), run.text());
    }

    @Test
    void halfPrecisionTrainsAsSinglePrecision() {
        CommandLineRun run =
                CommandLineRun.of("selftest", "--device", "cpu", "--threads", "1", "--only", "bf16 and fp16");
        assertEquals(0, run.code(), run.text());
    }

    @Test
    void whatOnlyGpusDoIsSaidToBeLeftOut() {
        CommandLineRun run = CommandLineRun.of("selftest", "--device", "cpu", "--threads", "1", "--only", "blocking");
        assertEquals(1, run.code(), "nothing ran, so nothing passed: " + run.text());
        assertTrue(run.text().contains("only GPUs"), run.text());
    }

    @Test
    void aMachineWithoutGpuSaysSoInOneSentence() {
        CommandLineRun run = CommandLineRun.of("selftest", "--device", "cuda:0");
        org.junit.jupiter.api.Assumptions.assumeTrue(run.code() != 0, "this machine has a GPU");
        assertEquals(1, run.code());
        assertEquals(1, run.text().strip().lines().count(), run.text());
        assertTrue(run.text().startsWith("kingfisher: "), run.text());
    }
}
