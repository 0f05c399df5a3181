package io.kingfisher.nativebindings;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Asks Python where it keeps what pip installs. */
final class PythonSites {
    private static final long SECONDS = 3;

    /**
     * Says the folders. The module {@code site} is imported but not run ({@code -S}), so that nothing of what is installed
     * is executed; without it Python does not find its virtual environment by itself.
     */
    private static final String QUESTION = """
            import os, site, sys
            prefix = os.path.dirname(os.path.dirname(os.path.abspath(sys.executable)))
            virtual = os.path.exists(os.path.join(prefix, 'pyvenv.cfg'))
            sites = site.getsitepackages([prefix] if virtual else [sys.prefix])
            print('\\n'.join(sites if virtual else sites + [site.getusersitepackages()]))
            """;

    private PythonSites() {}

    /**
     * Returns the folders {@code site-packages} of the first {@code python3} on a search path; none where there is no
     * Python, or where it does not answer in {@value #SECONDS} seconds.
     */
    static List<String> ask(String path) {
        var python = find(path);
        if (python.isEmpty()) {
            return List.of();
        }
        try {
            var process = new ProcessBuilder(python.get().toString(), "-I", "-S", "-c", QUESTION)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try {
                process.getOutputStream().close();
                // The answer is shorter than what a pipe holds, so Python ends without being read from.
                if (!process.waitFor(SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                    return List.of();
                }
                var answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                return answer.lines().filter(line -> !line.isBlank()).toList();
            } finally {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        } catch (IOException e) {
            return List.of();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return List.of();
        }
    }

    private static Optional<Path> find(String path) {
        for (var folder : path == null ? new String[0] : path.split(File.pathSeparator)) {
            try {
                var python = Path.of(folder, "python3").toAbsolutePath();
                if (!folder.isEmpty() && Files.isExecutable(python) && !Files.isDirectory(python)) {
                    return Optional.of(python);
                }
            } catch (InvalidPathException e) {
                // A folder that cannot be has no Python.
            }
        }
        return Optional.empty();
    }
}
