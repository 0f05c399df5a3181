package io.kingfisher.train;

import io.kingfisher.train.workload.Roofline;
import java.util.Locale;

/** A roofline as people read it: an op a line, the largest gaps first. */
final class RooflineText {
    private static final int LINES = 40, WIDTH = 110;

    private RooflineText() {}

    static String of(String title, Roofline roofline) {
        StringBuilder text = new StringBuilder(title).append('\n');
        text.append("      us   floor     gap   GFLOP   Mbyte  gemm  copy  op\n");
        double rest = 0, restFloor = 0;
        for (int i = 0; i < roofline.ops().size(); i++) {
            Roofline.Line line = roofline.ops().get(i);
            if (i >= LINES) {
                rest += line.micros();
                restFloor += line.floorMicros();
                continue;
            }
            String op = Roofline.brief(line.step().what());
            String what = line.step().scope().isEmpty() ? op : line.step().scope() + ": " + op;
            text.append(String.format(
                    Locale.ROOT,
                    "%8.1f%8.1f%8.1f%8.3f%8.2f%5.0f%%%5.0f%%  %s%n",
                    line.micros(),
                    line.floorMicros(),
                    line.gapMicros(),
                    line.step().flop() / 1e9,
                    line.step().bytes() / 1e6,
                    100 * roofline.shareOfProduct(line),
                    100 * roofline.shareOfCopy(line),
                    what.length() > WIDTH ? what.substring(0, WIDTH - 3) + "..." : what));
        }
        if (roofline.ops().size() > LINES) {
            text.append(String.format(
                    Locale.ROOT,
                    "%8.1f%8.1f%8.1f  %d more%n",
                    rest,
                    restFloor,
                    rest - restFloor,
                    roofline.ops().size() - LINES));
        }
        text.append(String.format(
                Locale.ROOT,
                "%8.1f%8.1f%8.1f%8.3f%8.2f  all; a replay takes %.1f us%n",
                roofline.micros(),
                roofline.floorMicros(),
                roofline.micros() - roofline.floorMicros(),
                roofline.flop() / 1e9,
                roofline.bytes() / 1e6,
                roofline.replayMicros()));
        return text.toString();
    }
}
