package io.kingfisher.bench.step;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The most memory that the process has held so far. */
public final class VmHwm {
    private VmHwm() {}

    /** The peak of the resident memory in MiB as Linux counts it; NaN where the system does not say. */
    public static double mebibytes() {
        try {
            return Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith("VmHWM:"))
                    .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")) / 1024)
                    .findFirst()
                    .orElse(Double.NaN);
        } catch (IOException e) {
            return Double.NaN;
        }
    }
}
