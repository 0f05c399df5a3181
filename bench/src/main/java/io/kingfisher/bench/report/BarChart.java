package io.kingfisher.bench.report;

import java.awt.Color;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.style.Styler.LegendPosition;

/** Groups of bars as an SVG. */
final class BarChart {
    private static final int WIDTH = 800, HEIGHT = 380;

    private static final Color[] COLOURS = {
        new Color(0x00, 0x6d, 0x77),
        new Color(0xe2, 0x95, 0x78),
        new Color(0x83, 0xc5, 0xbe),
        new Color(0x6c, 0x75, 0x7d)
    };

    private BarChart() {}

    /**
     * Writes a chart.
     *
     * @param groups what stands below each group of bars
     * @param series for each bar of a group its name and its heights; what is not a number is left out
     */
    static void write(Path file, String title, String axis, List<String> groups, Map<String, List<Double>> series)
            throws IOException {
        CategoryChart chart = new CategoryChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .yAxisTitle(axis)
                .build();
        chart.getStyler()
                .setLegendPosition(LegendPosition.OutsideS)
                .setChartBackgroundColor(Color.WHITE)
                .setPlotBorderVisible(false)
                .setSeriesColors(COLOURS);
        chart.getStyler().setAvailableSpaceFill(0.75).setLabelsVisible(true).setLabelsPosition(1);
        chart.getStyler().setDecimalPattern("0.00");
        chart.getStyler().setYAxisMin(0.0);
        series.forEach((name, heights) -> chart.addSeries(
                name,
                groups,
                heights.stream()
                        .map(height -> Double.isNaN(height) ? null : height)
                        .toList()));
        var bytes = new ByteArrayOutputStream();
        VectorGraphicsEncoder.saveVectorGraphic(chart, bytes, VectorGraphicsFormat.SVG);
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.write(file, bytes.toByteArray());
    }
}
