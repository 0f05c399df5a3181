package io.kingfisher.train.workload;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** What measurements were made on, as far as the system says. */
public final class Machine {
    private static final String GPU_FIELDS = "index,name,driver_version,compute_cap,memory.total,power.limit,"
            + "clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem,pstate,temperature.gpu,persistence_mode,ecc.mode.current";

    private Machine() {}

    public static Map<String, Object> describe() {
        var machine = new LinkedHashMap<String, Object>();
        machine.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        machine.put("arch", System.getProperty("os.arch"));
        machine.put("cpu", cpu());
        machine.put("processors", (long) Runtime.getRuntime().availableProcessors());
        machine.put("java", System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
        machine.put("gpus", gpus());
        return machine;
    }

    private static String cpu() {
        try {
            return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                    .filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse("unknown");
        } catch (IOException e) {
            return "unknown";
        }
    }

    /** What nvidia-smi says of each GPU, clocks among it, or why it says nothing. */
    private static Object gpus() {
        try {
            Process process = new ProcessBuilder("nvidia-smi", "--query-gpu=" + GPU_FIELDS, "--format=csv,noheader")
                    .redirectErrorStream(true)
                    .start();
            String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                return "nvidia-smi failed: " + text.strip();
            }
            return text.lines().map(Machine::gpu).toList();
        } catch (IOException e) {
            return "no nvidia-smi";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "interrupted";
        }
    }

    private static Map<String, Object> gpu(String line) {
        String[] names = GPU_FIELDS.split(","), values = line.split(",");
        var gpu = new LinkedHashMap<String, Object>();
        for (int i = 0; i < Math.min(names.length, values.length); i++) {
            gpu.put(names[i], values[i].strip());
        }
        return gpu;
    }
}
