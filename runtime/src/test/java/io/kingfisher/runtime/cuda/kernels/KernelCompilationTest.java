package io.kingfisher.runtime.cuda.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.kingfisher.nativebindings.CudaLibrary;
import io.kingfisher.nativebindings.nvrtc.NvrtcProgram;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import io.kingfisher.runtime.cuda.math.MatrixKernelSources;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every written kernel, and of the generated ones one of every kind, compiles by NVRTC to machine code that keeps all its
 * variables in registers. What each uses is written to {@code target/kernels-sm_*.txt}.
 */
class KernelCompilationTest {
    private static final Pattern USED = Pattern.compile("Used (\\d+) registers");
    private static final Pattern SPILLED = Pattern.compile("(\\d+) bytes spill stores, (\\d+) bytes spill loads");
    private static final Pattern ENTRY = Pattern.compile("Compiling entry function '(\\w+)'");

    @BeforeAll
    static void nvrtc() {
        var report = CudaLibrary.NVRTC.report();
        assumeTrue(report.found().isPresent(), () -> report + "; -Pnvrtc brings it");
    }

    /**
     * What a kernel uses.
     *
     * @param spilled bytes stored to and loaded from local memory for lack of registers
     */
    private record Use(String source, String kernel, int registers, int spilled) {
        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT, "%-28s %-40s %3d registers, %d bytes spilled", source, kernel, registers, spilled);
        }
    }

    /** What each kernel of a source uses, as the assembler says: first what it spills, then its registers. */
    private static List<Use> compile(KernelCode code, int architecture) {
        try (NvrtcProgram program = new NvrtcProgram(code.name(), code.text())) {
            String log = program.compile(
                    List.of("--gpu-architecture=sm_" + architecture, "--std=c++17", "--ptxas-options=-v"));
            assertTrue(program.cubin().length > 0);
            List<Use> uses = new ArrayList<>();
            String kernel = null;
            int spills = -1;
            for (String line : log.split("\n")) {
                Matcher entry = ENTRY.matcher(line), used = USED.matcher(line), spilled = SPILLED.matcher(line);
                if (entry.find()) {
                    kernel = entry.group(1);
                    spills = -1;
                } else if (spilled.find()) {
                    spills = Integer.parseInt(spilled.group(1)) + Integer.parseInt(spilled.group(2));
                } else if (used.find()) {
                    assertTrue(kernel != null && spills >= 0, log);
                    uses.add(new Use(code.name(), kernel, Integer.parseInt(used.group(1)), spills));
                }
            }
            assertFalse(uses.isEmpty(), log);
            return uses;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {80, 90, 100})
    void keepsAllInRegisters(int architecture) throws Exception {
        Collection<KernelCode> codes = new ArrayList<>(KernelSamples.codes(new KernelEngine(Checker.DEVICE)));
        codes.addAll(MatrixKernelSources.all());
        List<Use> uses = new ArrayList<>();
        codes.forEach(code -> uses.addAll(compile(code, architecture)));
        Path report = Path.of("target", "kernels-sm_" + architecture + ".txt");
        Files.write(report, uses.stream().map(Use::toString).toList());
        assertEquals(List.of(), uses.stream().filter(use -> use.spilled() > 0).toList());
    }
}
