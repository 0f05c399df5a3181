package io.kingfisher.train.compare;

import io.kingfisher.train.config.ComparePlan;
import io.kingfisher.train.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The report: one file with its styles, its script and its data, which refers to nothing outside it. The table is there without
 * the script, which draws the curves.
 */
final class HtmlReport {
    private final ComparisonResults results;

    HtmlReport(ComparisonResults results) {
        this.results = results;
    }

    String html() {
        ComparePlan plan = results.plan();
        Map<String, String> parts = new LinkedHashMap<>();
        parts.put("STYLE", resource("report.css"));
        parts.put("TITLE", escape(plan.title()));
        parts.put("SUMMARY", escape(summary()));
        parts.put("TABLE", table());
        parts.put("FAILURES", failures());
        // No text in a script may look like its end or like a comment.
        parts.put("DATA", Json.write(results.toMap()).replace("<", "\\u003c").replace("@", "\\u0040"));
        parts.put("SCRIPT", resource("report.js"));
        String html = resource("report.html");
        for (var part : parts.entrySet()) {
            html = html.replace("@" + part.getKey() + "@", part.getValue());
        }
        return html;
    }

    private String summary() {
        ComparePlan plan = results.plan();
        var config = plan.entries().getFirst().config();
        return config.model().network() + " on " + config.data().dataset() + ", "
                + plan.entries().size() + " methods, "
                + plan.seeds().size() + (plan.seeds().size() == 1 ? " seed, " : " seeds, ")
                + plan.budget() + (plan.budget().timed() ? " of training steps" : "") + " a run.";
    }

    private String table() {
        var html = new StringBuilder();
        html.append(
                "<table><caption>Means and deviations over seeds at the end of the budget, best first</caption>\n<thead><tr>");
        for (String head : results.head()) {
            html.append("<th scope=\"col\">").append(escape(head)).append("</th>");
        }
        html.append("</tr></thead>\n<tbody>\n");
        for (List<String> row : results.rows()) {
            html.append("<tr><th scope=\"row\">").append(escape(row.getFirst())).append("</th>");
            row.subList(1, row.size())
                    .forEach(cell -> html.append("<td>").append(escape(cell)).append("</td>"));
            html.append("</tr>\n");
        }
        return html.append("</tbody></table>").toString();
    }

    /** The runs that did not reach the end of their budget, and why. */
    private String failures() {
        var html = new StringBuilder();
        for (ComparedMethod method : results.methods()) {
            method.runs().forEach((seed, run) -> {
                if (!run.failure().isEmpty()) {
                    html.append("<li>")
                            .append(escape(method.label() + ", seed " + seed + ": " + run.failure()))
                            .append("</li>\n");
                }
            });
        }
        return html.isEmpty() ? "" : "<p>Runs that did not reach the end of their budget:</p>\n<ul>\n" + html + "</ul>";
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("@", "&#64;");
    }

    private static String resource(String name) {
        try (InputStream in = HtmlReport.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
