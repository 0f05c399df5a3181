package io.kingfisher.train.report;

import java.io.Console;
import java.io.PrintStream;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * How far a run is: a bar that redraws itself on a terminal, a line every few seconds elsewhere. Nothing is drawn, and
 * nothing allocated, between two updates. Not for use by several threads.
 */
public final class Progress implements AutoCloseable {
    private static final long BAR_NANOS = 100_000_000L;
    private static final long LOG_NANOS = 5_000_000_000L;

    private final PrintStream out;
    private final boolean terminal;
    private final int columns;
    private final LongSupplier nanoTime;

    private final long totalSteps;
    private final long firstStep;
    private final long startNanos;
    private String label = "";
    private long epochFirstStep;
    private long epochSteps;
    private long drawnNanos;
    private boolean barShown;
    private boolean shares;

    Progress(PrintStream out, boolean terminal, int columns, LongSupplier nanoTime, long firstStep, long totalSteps) {
        this.out = out;
        this.terminal = terminal;
        this.columns = columns;
        this.nanoTime = nanoTime;
        this.firstStep = firstStep;
        this.totalSteps = totalSteps;
        this.startNanos = nanoTime.getAsLong();
        this.drawnNanos = startNanos;
    }

    /**
     * Progress on standard output.
     *
     * @param firstStep steps that are done already, when a run is resumed
     * @param totalSteps steps of the whole run
     */
    public static Progress open(long firstStep, long totalSteps) {
        Console console = System.console();
        boolean terminal = console != null && console.isTerminal() && !"dumb".equals(System.getenv("TERM"));
        return new Progress(System.out, terminal, columns(), System::nanoTime, firstStep, totalSteps);
    }

    /**
     * Progress of something whose parts are no steps: what is told as steps are parts of the whole, which lines show in percent.
     *
     * @param firstPart parts that are done already
     */
    public static Progress openShares(long firstPart, long totalParts) {
        Progress progress = open(firstPart, totalParts);
        progress.shares = true;
        return progress;
    }

    private static int columns() {
        String columns = System.getenv("COLUMNS");
        return columns != null && columns.matches("[1-9]\\d{1,3}") ? Integer.parseInt(columns) : 100;
    }

    /**
     * Begins an epoch, or whatever else the bar runs over.
     *
     * @param newLabel what is shown before it, such as {@code epoch 3/10}
     * @param firstStepOfIt the run's steps that were done when it began
     * @param steps how many it has
     */
    public void begin(String newLabel, long firstStepOfIt, long steps) {
        label = newLabel;
        epochFirstStep = firstStepOfIt;
        epochSteps = Math.max(1, steps);
    }

    /**
     * Tells that a step is done.
     *
     * @param step steps of the run so far
     * @param loss the mean loss of the epoch so far
     * @param accuracy the share that was right, in [0, 1]; NaN where there is none
     * @param stepMillis what a step takes, in ms
     */
    public void step(long step, double loss, double accuracy, double stepMillis) {
        long now = nanoTime.getAsLong();
        if (now - drawnNanos < (terminal ? BAR_NANOS : LOG_NANOS)) {
            return;
        }
        drawnNanos = now;
        var text = new StringBuilder();
        text.append(String.format(Locale.ROOT, "loss %.4f", loss));
        if (!Double.isNaN(accuracy)) {
            text.append(String.format(Locale.ROOT, "  acc %.2f%%", 100 * accuracy));
        }
        text.append(String.format(Locale.ROOT, "  %s/step  %s left", millis(stepMillis), left(now, step)));
        double share = Math.clamp((double) (step - epochFirstStep) / epochSteps, 0, 1);
        if (terminal) {
            draw(share, text.toString());
        } else if (shares) {
            out.printf(Locale.ROOT, "%s  %d%%  %s%n", label, (int) (100 * share), text);
            out.flush();
        } else {
            out.printf(Locale.ROOT, "%s  step %d/%d  %s%n", label, step - epochFirstStep, epochSteps, text);
            out.flush();
        }
    }

    private void draw(double share, String text) {
        int room = columns - label.length() - text.length() - 12;
        String bar = room >= 8 ? bar(share, Math.min(room, 40)) + " " : "";
        String line = String.format(Locale.ROOT, "%s %s%3d%%  %s", label, bar, (int) (100 * share), text);
        out.print("\r\u001b[K" + (line.length() < columns ? line : line.substring(0, columns - 1)));
        out.flush();
        barShown = true;
    }

    private static String bar(double share, int width) {
        int full = (int) (share * width);
        return "[" + "=".repeat(full) + (full < width ? ">" + " ".repeat(width - full - 1) : "") + "]";
    }

    /** Prints a line of its own, above the bar. */
    public void line(String text) {
        clear();
        out.println(text);
        out.flush();
    }

    /** Removes the bar. */
    @Override
    public void close() {
        clear();
    }

    private void clear() {
        if (barShown) {
            out.print("\r\u001b[K");
            out.flush();
            barShown = false;
        }
    }

    private String left(long now, long step) {
        long done = step - firstStep;
        if (done <= 0) {
            return "?";
        }
        double nanosPerStep = (double) (now - startNanos) / done;
        return duration(Math.round(nanosPerStep * Math.max(0, totalSteps - step) / 1e9));
    }

    private static String millis(double millis) {
        return String.format(Locale.ROOT, millis < 1 ? "%.2f ms" : millis < 100 ? "%.1f ms" : "%.0f ms", millis);
    }

    /** {@code 0:07}, {@code 12:05}, {@code 3:07:00}. */
    public static String duration(long seconds) {
        return seconds < 3600
                ? String.format(Locale.ROOT, "%d:%02d", seconds / 60, seconds % 60)
                : String.format(Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
}
