package io.kingfisher.bench.report;

import io.kingfisher.bench.report.Duel.What;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.train.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs measurements, each in a JVM of its own, and appends their figures to a file, a line each. */
final class Rounds {
    /** The options with which the command line starts its JVM, but on the class path. */
    private static final List<String> JVM =
            List.of("-XX:+UseSerialGC", "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED");

    /** Beyond what is measured: the start of the JVM, of libtorch, and the first steps. */
    private static final long PATIENCE_SECONDS = 300;

    private final Path results;
    private final double seconds;
    private final String run;

    /**
     * @param run what all lines of one call have in common
     */
    Rounds(Path results, double seconds, String run) {
        this.results = results;
        this.seconds = seconds;
        this.run = run;
    }

    void measure(Entry entry, int round) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(JVM);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Duel.class.getName()));
        command.addAll(entry.arguments());
        command.add(Double.toString(seconds));
        long began = System.nanoTime();
        String output = output(entry, command);
        double wall = (System.nanoTime() - began) / 1e6;
        String last = output.strip().lines().reduce("", (_, line) -> line);
        try {
            Map<String, Object> record = new LinkedHashMap<>(Json.parseObject(last));
            if (entry.what() == What.COLD) {
                // The process ends right after its first step.
                record.put("p50_ms", wall);
            }
            record.put("round", (long) round);
            record.put("run", run);
            Files.createDirectories(results.toAbsolutePath().getParent());
            Files.writeString(results, Json.write(record) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            System.out.printf(Locale.ROOT, "%-70s %s%n", String.join(" ", entry.arguments()), summary(record));
        } catch (IOException e) {
            throw failed(entry, output, e);
        }
    }

    private static String summary(Map<String, Object> record) throws IOException {
        for (String key : List.of("p50_ms", "replay_us", "bytes_per_second")) {
            if (record.containsKey(key)) {
                return String.format(Locale.ROOT, "%s %.4g", key, Json.real(record.get(key)));
            }
        }
        return "";
    }

    private static String output(Entry entry, List<String> command) {
        try {
            Path errors = Files.createTempFile("kingfisher-bench", ".log");
            try {
                Process process = new ProcessBuilder(command)
                        .redirectError(errors.toFile())
                        .start();
                String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                    process.destroyForcibly();
                    throw failed(entry, Files.readString(errors), null);
                }
                return output;
            } finally {
                Files.deleteIfExists(errors);
            }
        } catch (IOException e) {
            throw failed(entry, "", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failed(entry, "interrupted", e);
        }
    }

    private static KingfisherException failed(Entry entry, String output, Exception cause) {
        return new KingfisherException(
                "The measurement " + String.join(" ", entry.arguments()) + " failed: "
                        + (output.isBlank() ? String.valueOf(cause) : output.strip()),
                cause);
    }
}
