package io.kingfisher.train.report;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The plots of one run: its loss, and its accuracy, perplexity or reconstruction error. */
public final class RunPlots {
    private RunPlots() {}

    /**
     * Writes {@code loss} and {@code accuracy}, {@code perplexity} or {@code reconstruction-error}, each as PNG and SVG.
     *
     * @param folder where they go
     * @param subject what was run, for the titles, such as {@code lenet on glyphs, AdaFisher}
     * @param records the lines of {@code metrics.jsonl}
     */
    public static void write(Path folder, String subject, List<Map<String, Object>> records) {
        List<Map<String, Object>> epochs = ofKind(records, "epoch");
        List<Map<String, Object>> steps = ofKind(records, "step");
        // a run of one epoch is a single point; its steps say more
        String x = epochs.size() > 1 ? "epoch" : "step";
        var losses = new ArrayList<Curve>();
        if (steps.size() > 1) {
            losses.add(curve("batch", steps, x, "loss", Curve.Style.FAINT));
        }
        losses.add(curve("train", epochs, x, "train_loss", Curve.Style.PLAIN));
        losses.add(curve("test", epochs, x, "test_loss", Curve.Style.PLAIN));
        new CurvePlot("Loss: " + subject, x, "mean loss", false, losses).write(folder, "loss");
        if (epochs.stream().anyMatch(epoch -> epoch.get("test_perplexity") != null)) {
            var curves = List.of(
                    curve("train", epochs, x, "train_perplexity", Curve.Style.PLAIN),
                    curve("test", epochs, x, "test_perplexity", Curve.Style.PLAIN));
            new CurvePlot("Perplexity: " + subject, x, "perplexity", false, curves).write(folder, "perplexity");
        } else if (epochs.stream().anyMatch(epoch -> epoch.get("test_reconstruction_error") != null)) {
            var curves = List.of(
                    curve("train", epochs, x, "train_reconstruction_error", Curve.Style.PLAIN),
                    curve("test", epochs, x, "test_reconstruction_error", Curve.Style.PLAIN));
            new CurvePlot("Reconstruction error: " + subject, x, "squared error of an image", false, curves)
                    .write(folder, "reconstruction-error");
        } else {
            var curves = List.of(
                    curve("train", epochs, x, "train_top1", Curve.Style.PLAIN),
                    curve("test" + best(epochs), epochs, x, "test_top1", Curve.Style.PLAIN),
                    curve("test, top 5", epochs, x, "test_top5", Curve.Style.DASHED));
            new CurvePlot("Accuracy: " + subject, x, "accuracy (%)", true, curves).write(folder, "accuracy");
        }
    }

    private static String best(List<Map<String, Object>> epochs) {
        return epochs.stream().mapToDouble(epoch -> number(epoch, "test_top1")).filter(Double::isFinite).max().stream()
                .mapToObj(best -> String.format(Locale.ROOT, " (best %.2f %%)", 100 * best))
                .findFirst()
                .orElse("");
    }

    private static List<Map<String, Object>> ofKind(List<Map<String, Object>> records, String kind) {
        return records.stream()
                .filter(record -> kind.equals(record.get("kind")))
                .toList();
    }

    private static Curve curve(String name, List<Map<String, Object>> records, String x, String y, Curve.Style style) {
        return new Curve(
                name,
                records.stream().mapToDouble(record -> number(record, x)).toArray(),
                records.stream().mapToDouble(record -> number(record, y)).toArray(),
                style);
    }

    private static double number(Map<String, Object> record, String key) {
        return record.get(key) instanceof Number number ? number.doubleValue() : Double.NaN;
    }
}
