package io.kingfisher.runtime.cuda.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.kingfisher.nativebindings.CudaLibrary;
import io.kingfisher.nativebindings.nvrtc.NvrtcProgram;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import io.kingfisher.runtime.cuda.math.MatrixKernelSources;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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

    /** Lines of the report, one for each kernel of a source. */
    private static List<String> compile(KernelCode code, int architecture) {
        try (NvrtcProgram program = new NvrtcProgram(code.name(), code.text())) {
            String log = program.compile(
                    List.of("--gpu-architecture=sm_" + architecture, "--std=c++17", "--ptxas-options=-v"));
            assertTrue(program.cubin().length > 0);
            List<String> lines = new ArrayList<>();
            String kernel = code.name(), spills = "";
            for (String line : log.split("\n")) {
                Matcher entry = ENTRY.matcher(line), used = USED.matcher(line), spilled = SPILLED.matcher(line);
                if (entry.find()) {
                    kernel = entry.group(1);
                }
                if (spilled.find()) {
                    boolean none =
                            spilled.group(1).equals("0") && spilled.group(2).equals("0");
                    assertTrue(none, code.name() + ", " + kernel + " for sm_" + architecture + ": " + line);
                }
                if (used.find()) {
                    lines.add(String.format("%-28s %-40s %3s registers%s", code.name(), kernel, used.group(1), spills));
                }
            }
            assertTrue(!lines.isEmpty(), log);
            return lines;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {80, 90, 100})
    void keepsAllInRegisters(int architecture) throws Exception {
        Collection<KernelCode> codes = new ArrayList<>(KernelSamples.codes(new KernelEngine(Checker.DEVICE)));
        codes.addAll(MatrixKernelSources.all());
        List<String> report = new ArrayList<>();
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            List<Callable<List<String>>> tasks = codes.stream()
                    .map(code -> (Callable<List<String>>) () -> compile(code, architecture))
                    .toList();
            for (Future<List<String>> result : threads.invokeAll(tasks)) {
                report.addAll(result.get());
            }
        } finally {
            threads.shutdown();
        }
        write(architecture, report);
        assertTrue(report.size() >= codes.size());
        List<String> spilling =
                report.stream().filter(line -> line.contains("spills")).toList();
        assertEquals(List.of(), spilling);
    }

    private static void write(int architecture, List<String> report) throws IOException {
        Path file = Path.of("target", "kernels-sm_" + architecture + ".txt");
        Files.write(file, report);
        assertEquals(report.size(), Files.readAllLines(file).size());
    }
}
