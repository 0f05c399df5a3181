package io.kingfisher.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.optimizers.exact.DenseMatrix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AnalyzeCommandTest {
    @TempDir
    Path folder;

    private Path config() throws IOException {
        Path file = folder.resolve("run.yaml");
        Files.writeString(file, """
                dataset: glyphs
                train_size: 160
                test_size: 40
                network: mlp-small
                model: {hidden: [8]}
                optimizer: SGD
                init_lr: 0.1
                max_epochs: 4
                mini_batch_size: 16
                device: cpu
                seed: 3
                """);
        return file;
    }

    /** gamma over SGD's by method and damping, of the last stage in a file. */
    private static Map<String, Double> last(Path csv) throws IOException {
        Map<String, Double> result = new LinkedHashMap<>();
        for (String line : Files.readAllLines(csv).stream().skip(1).toList()) {
            String[] cells = line.split(",");
            result.put(cells[3] + cells[4], Double.parseDouble(cells[5]));
        }
        return result;
    }

    /** Natural gradient has the least gamma, with much damping curvature gives the gradient, and the model stays as it was. */
    @Test
    void gammaOfEveryMethod() throws IOException {
        Path csv = folder.resolve("gamma.csv");
        CommandLineRun run = CommandLineRun.of(
                "analyze",
                "gamma",
                config().toString(),
                "--threads=1",
                "--steps=30",
                "--batches=1",
                "--methods=SGD,iEF,KFAC,NGD",
                "--damping=1e-5,1e9",
                "--kwargs=iEF.duplicates=1",
                "--csv=" + csv);
        assertEquals(0, run.code(), run.text());
        Map<String, Double> found = last(csv);
        assertEquals(7, found.size(), found.toString());
        assertEquals(1, found.get("SGD"), 1e-6);
        double least = found.get("NGD1e-5");
        found.forEach((method, ratio) -> assertTrue(ratio >= 0.95 * least, method + " " + ratio + " < " + least));
        assertEquals(1, found.get("NGD1e9"), 1e-3);
        assertTrue(run.text().contains("| step 30, loss"), run.text());
    }

    @Test
    void refusesWhatItCannotMeasure() throws IOException {
        String file = config().toString();
        assertRefused("ascending", "analyze", "gamma", file, "--steps=5,5");
        assertRefused("There is no optimizer 'iFE'", "analyze", "gamma", file, "--methods=iFE");
        assertRefused("above 0", "analyze", "gamma", file, "--damping=0");
        assertRefused("has no key 'dampin'", "analyze", "gamma", file, "--steps=0", "--kwargs=SGD.dampin=1");
        assertRefused("is no number", "analyze", "gamma", file, "--steps=0", "--kwargs=EF.duplicates=x");
    }

    private static void assertRefused(String reason, String... args) {
        CommandLineRun run = CommandLineRun.of(args);
        assertEquals(1, run.code(), run.text());
        assertTrue(run.text().contains(reason), run.text());
    }

    @Test
    void drawsTheToyProblem() {
        Path out = folder.resolve("toy");
        CommandLineRun run = CommandLineRun.of("analyze", "ief-toy", "--output", out.toString());
        assertEquals(0, run.code(), run.text());
        for (String name : List.of("SGD", "EF", "iEF")) {
            for (String type : List.of(".png", ".svg")) {
                assertTrue(Files.isRegularFile(out.resolve(name + type)), name + type);
            }
        }
        for (String number : List.of("2.0000, -1.3333 | 1.054093", "0.644981", "0.5000, 1.0000 | 0.632456")) {
            assertTrue(run.text().contains(number), run.text());
        }
    }

    /** EF lets each loss fall by the same, the improved one by the square of its slope, along natural gradient. */
    @Test
    void directionsOfTheToyProblem() {
        for (double[] at : new double[][] {{0.5, 1}, {-1, 0.3}, {2, -1}}) {
            double[] improved = ToyProblem.direction(ToyProblem.Rule.IEF, at[0], at[1]);
            assertArrayEquals(ToyProblem.direction(ToyProblem.Rule.NGD, at[0], at[1]), improved, 1e-8);
            assertArrayEquals(at, improved, 1e-8);
            double[] empirical = ToyProblem.direction(ToyProblem.Rule.EF, at[0], at[1]);
            double[][] rows = ToyProblem.at(at[0], at[1]).sampleGradients();
            assertArrayEquals(new double[] {1, 1}, DenseMatrix.times(rows, empirical), 1e-8);
        }
        double[][] path = ToyProblem.path(ToyProblem.Rule.IEF, 1, 0.5, 0.1, 100);
        assertEquals(Math.pow(0.9, 100), path[0][100], 1e-9);
        assertEquals(0.5 * Math.pow(0.9, 100), path[1][100], 1e-9);
    }
}
