package io.kingfisher.train.report;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.Test;

class ProgressTest {
    private static final String CLEAR = "\r\u001b[K";

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final PrintStream out = new PrintStream(bytes, true, UTF_8);
    private long nanos;

    private Progress progress(boolean terminal, int columns) {
        return new Progress(out, terminal, columns, () -> nanos, 100, 1100);
    }

    private String printed() {
        String text = bytes.toString(UTF_8);
        bytes.reset();
        return text;
    }

    @Test
    void withoutATerminalALineIsPrintedEveryFewSeconds() {
        var progress = progress(false, 80);
        progress.begin("epoch 2/11", 100, 100);
        nanos += 4_900_000_000L;
        progress.step(110, 0.5, 0.75, 490);
        assertEquals("", printed());
        nanos += 100_000_000L;
        progress.step(150, 0.5, 0.75, 99.94);
        assertEquals(
                "epoch 2/11  step 50/100  loss 0.5000  acc 75.00%%  99.9 ms/step  1:35 left%n".formatted(), printed());
        progress.step(151, 0.5, 0.75, 100);
        assertEquals("", printed());
        progress.line("saved");
        progress.close();
        assertEquals("saved%n".formatted(), printed());
    }

    @Test
    void aTerminalGetsABarThatLinesGoAbove() {
        var progress = progress(true, 100);
        progress.begin("epoch 1/11", 100, 100);
        nanos += 1_000_000_000L;
        progress.step(150, 1.25, Double.NaN, 0.5);
        assertEquals(
                CLEAR
                        + "epoch 1/11 [====================>                   ]  50%  loss 1.2500  0.50 ms/step  0:19 left",
                printed().replaceFirst("\\[=+>\\s+\\]", "[====================>                   ]"));
        nanos += 50_000_000L;
        progress.step(151, 1.25, Double.NaN, 0.5);
        assertEquals("", printed());
        progress.line("hello");
        assertEquals(CLEAR + "hello%n".formatted(), printed());
        progress.close();
        assertEquals("", printed());
    }

    @Test
    void aNarrowTerminalIsNotWrapped() {
        for (int columns = 10; columns < 120; columns++) {
            var progress = progress(true, columns);
            progress.begin("epoch 1/11", 100, 100);
            for (long step : new long[] {100, 101, 150, 199, 200, 300}) {
                nanos += 1_000_000_000L;
                progress.step(step, 12345.678, 1, 1234);
                String drawn = printed();
                assertEquals(true, drawn.length() - CLEAR.length() < columns, drawn);
            }
        }
    }

    @Test
    void durationsReadAsClocks() {
        assertEquals("0:07", Progress.duration(7));
        assertEquals("12:05", Progress.duration(725));
        assertEquals("3:07:00", Progress.duration(3 * 3600 + 7 * 60));
    }
}
