package io.kingfisher.train.report;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.train.checkpoint.AtomicFile;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * A plot of curves, written as a PNG and an SVG; it needs no display.
 *
 * @param title above the plot
 * @param xLabel below the x axis
 * @param yLabel beside the y axis, with its unit
 * @param percent whether y is a share in [0, 1] that is shown in percent
 * @param curves what is drawn; those without a finite value are left out
 */
public record CurvePlot(String title, String xLabel, String yLabel, boolean percent, List<Curve> curves) {
    private static final int WIDTH = 760;
    private static final int HEIGHT = 460;

    /** Pixels per unit of the PNG, so that it stays sharp on dense screens. */
    private static final int SCALE = 2;

    private static final int MOST_MARKERS = 40;

    /** Colours that colour-blind people can tell apart (Okabe and Ito). */
    private static final List<Color> COLOURS = List.of(
            new Color(0x0072B2),
            new Color(0xD55E00),
            new Color(0x009E73),
            new Color(0xCC79A7),
            new Color(0xE69F00),
            new Color(0x56B4E9));

    private static final Color INK = new Color(0x333333);
    private static final Color GRID = new Color(0xE4E4E4);

    public CurvePlot {
        curves = curves.stream().filter(Curve::hasPoints).toList();
    }

    /**
     * Writes {@code NAME.png} and {@code NAME.svg} into a folder; nothing if there is no curve to draw.
     *
     * @throws KingfisherException if they cannot be written, or the machine has no fonts to draw with
     */
    public void write(Path folder, String name) {
        if (curves.isEmpty()) {
            return;
        }
        byte[] png;
        byte[] svg;
        try {
            png = png();
            svg = svg();
        } catch (IOException | LinkageError | InternalError | RuntimeException e) {
            throw new KingfisherException(
                    folder.resolve(name + ".png") + ": the plot cannot be drawn: " + e
                            + "; drawing needs fontconfig and at least one font, for example the packages fontconfig and"
                            + " fonts-dejavu-core.",
                    e);
        }
        AtomicFile.write(folder.resolve(name + ".png"), file -> file.write(ByteBuffer.wrap(png)));
        AtomicFile.write(folder.resolve(name + ".svg"), file -> file.write(ByteBuffer.wrap(svg)));
    }

    private byte[] png() throws IOException {
        var image = new BufferedImage(WIDTH * SCALE, HEIGHT * SCALE, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        try {
            graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
            graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
            graphics.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
            graphics.scale(SCALE, SCALE);
            chart().paint(graphics, WIDTH, HEIGHT);
        } finally {
            graphics.dispose();
        }
        var bytes = new ByteArrayOutputStream();
        if (!ImageIO.write(image, "png", bytes)) {
            throw new IOException("this JVM cannot write PNG images");
        }
        return bytes.toByteArray();
    }

    private byte[] svg() throws IOException {
        var bytes = new ByteArrayOutputStream();
        VectorGraphicsEncoder.saveVectorGraphic(chart(), bytes, VectorGraphicsFormat.SVG);
        return bytes.toByteArray();
    }

    private XYChart chart() {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle(xLabel)
                .yAxisTitle(yLabel)
                .build();
        style(chart);
        double scale = percent ? 100 : 1;
        int colour = 0;
        for (Curve curve : curves) {
            double[] y = Arrays.stream(curve.y())
                    .map(value -> Double.isFinite(value) ? scale * value : Double.NaN)
                    .toArray();
            XYSeries series = chart.addSeries(curve.name(), curve.x(), y);
            boolean faint = curve.style() == Curve.Style.FAINT;
            Color base = COLOURS.get(colour % COLOURS.size());
            series.setLineColor(faint ? pale(base) : base);
            series.setLineStyle(stroke(curve.style()));
            if (faint || curve.x().length > MOST_MARKERS) {
                series.setMarker(SeriesMarkers.NONE);
            } else {
                series.setMarker(SeriesMarkers.CIRCLE);
                series.setMarkerColor(base);
            }
            if (!faint) { // a pale curve shares its colour with the one after it
                colour++;
            }
        }
        return chart;
    }

    private void style(XYChart chart) {
        var style = chart.getStyler();
        String family = Font.SANS_SERIF;
        style.setChartBackgroundColor(Color.WHITE);
        style.setPlotBackgroundColor(Color.WHITE);
        style.setPlotBorderVisible(false);
        style.setChartFontColor(INK);
        style.setChartTitleFont(new Font(family, Font.BOLD, 16));
        style.setChartTitleBoxVisible(false);
        style.setChartTitlePadding(10);
        style.setChartPadding(14);
        style.setAxisTitleFont(new Font(family, Font.PLAIN, 13));
        style.setAxisTitlePadding(8);
        style.setAxisTickLabelsFont(new Font(family, Font.PLAIN, 12));
        style.setAxisTickLabelsColor(INK);
        style.setAxisTickMarksColor(GRID);
        style.setAxisTicksLineVisible(false);
        style.setPlotGridLinesColor(GRID);
        style.setPlotGridLinesStroke(new BasicStroke(1));
        style.setPlotMargin(0);
        style.setLegendPosition(LegendPosition.OutsideS);
        style.setLegendLayout(LegendLayout.Horizontal);
        style.setLegendBorderColor(Color.WHITE);
        style.setLegendFont(new Font(family, Font.PLAIN, 13));
        style.setLegendSeriesLineLength(26);
        style.setLegendPadding(14);
        style.setMarkerSize(6);
        if (xSpan() >= 2) {
            // XChart widens its steps until no two labels are the same, so this keeps to whole epochs and steps
            style.setxAxisTickLabelsFormattingFunction(x -> x == Math.rint(x) ? Long.toString(x.longValue()) : " ");
        }
        style.setYAxisDecimalPattern("#,##0.####");
        if (!percent && spansDecades()) {
            style.setYAxisLogarithmic(true);
        }
    }

    private double xSpan() {
        var x = curves.stream()
                .flatMapToDouble(curve -> Arrays.stream(curve.x()))
                .summaryStatistics();
        return x.getMax() - x.getMin();
    }

    /** Whether the values are positive and so far apart that a linear axis would hide the small ones. */
    private boolean spansDecades() {
        double[] finite = curves.stream()
                .filter(curve -> curve.style() != Curve.Style.FAINT)
                .flatMapToDouble(curve -> Arrays.stream(curve.y()))
                .filter(Double::isFinite)
                .sorted()
                .toArray();
        boolean positive =
                curves.stream().allMatch(curve -> Arrays.stream(curve.y()).noneMatch(y -> y <= 0));
        return positive && finite.length > 1 && finite[finite.length - 1] / finite[0] > 100;
    }

    private static BasicStroke stroke(Curve.Style style) {
        return switch (style) {
            case PLAIN -> new BasicStroke(2.2f, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND);
            case DASHED ->
                new BasicStroke(2.2f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 10, new float[] {7, 5}, 0);
            case FAINT -> new BasicStroke(1, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND);
        };
    }

    private static Color pale(Color colour) {
        return new Color((colour.getRed() + 255) / 2, (colour.getGreen() + 255) / 2, (colour.getBlue() + 255) / 2);
    }
}
