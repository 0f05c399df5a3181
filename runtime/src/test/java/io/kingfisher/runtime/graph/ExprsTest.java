package io.kingfisher.runtime.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.graph.Expr.BinaryOp;
import io.kingfisher.runtime.graph.Expr.UnaryOp;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The elementwise language: derivatives of all functions against differences, sharing, and simplification. */
class ExprsTest {
    private static final Expr X = Expr.arg(0);
    private static final Expr Y = Expr.arg(1);

    @TestFactory
    Stream<DynamicTest> unaryDerivatives() {
        return Stream.of(UnaryOp.values())
                .map(op -> DynamicTest.dynamicTest(op.name(), () -> {
                    boolean positive = op == UnaryOp.SQRT || op == UnaryOp.LOG;
                    for (double x : positive ? new double[] {0.3, 1, 7.7} : new double[] {-3.3, -0.7, 0.2, 1.9, 4.4}) {
                        check(Expr.unary(op, X), x, 0.5);
                    }
                }));
    }

    @TestFactory
    Stream<DynamicTest> binaryDerivatives() {
        return Stream.of(BinaryOp.values())
                .map(op -> DynamicTest.dynamicTest(op.name(), () -> {
                    for (double x : new double[] {0.3, 1.1, 2.7}) {
                        for (double y : new double[] {-1.3, 0.4, 2.1}) {
                            check(Expr.binary(op, X, Y), x, y);
                            check(Expr.binary(op, X, X.mul(Y)), x, y);
                        }
                    }
                }));
    }

    @Test
    void compositions() {
        Expr shared = X.mul(Y).add(X.exp());
        check(shared.mul(shared).div(shared.add(3)).sub(shared.tanh()), 0.4, -0.7);
        check(Expr.select(X.lessThan(Y), X.square().mul(Y), Y.exp()), 0.4, 0.7);
        check(Expr.select(X.lessThan(Y), X.square().mul(Y), Y.exp()), 0.7, 0.4);
    }

    private static void check(Expr e, double x, double y) {
        Expr[] slopes = Exprs.gradients(List.of(e), List.of(Expr.of(1)), 2);
        double h = 1e-6;
        double dx = (value(e, x + h, y) - value(e, x - h, y)) / (2 * h);
        double dy = (value(e, x, y + h) - value(e, x, y - h)) / (2 * h);
        assertEquals(dx, slopes[0] == null ? 0 : value(slopes[0], x, y), 1e-6 * Math.max(1, Math.abs(dx)), e::toString);
        assertEquals(dy, slopes[1] == null ? 0 : value(slopes[1], x, y), 1e-6 * Math.max(1, Math.abs(dy)), e::toString);
    }

    private static double value(Expr e, double... arguments) {
        return Exprs.evaluate(List.of(e), arguments)[0];
    }

    @Test
    void tiesShareAndZerosAreFlat() {
        for (BinaryOp op : List.of(BinaryOp.MAX, BinaryOp.MIN)) {
            Expr[] slopes = Exprs.gradients(List.of(Expr.binary(op, X, Y)), List.of(Expr.of(1)), 2);
            assertEquals(0.5, value(slopes[0], 3, 3));
            assertEquals(0.5, value(slopes[1], 3, 3));
        }
        Expr[] power = Exprs.gradients(List.of(X.pow(Y)), List.of(Expr.of(1)), 2);
        assertEquals(0, value(power[1], 0, 2));
        assertEquals(0, value(power[0], 0, 2));
        assertEquals(0, value(Exprs.gradients(List.of(X.abs()), List.of(Expr.of(1)), 1)[0], 0));
    }

    @Test
    void whatDoesNotMatterHasNoSlope() {
        Expr[] slopes = Exprs.gradients(List.of(X.sign(), X.lessThan(Y)), List.of(Expr.of(1), Expr.of(1)), 3);
        assertNull(slopes[0]);
        assertNull(slopes[1]);
        assertNull(slopes[2]);
    }

    /** A chain in which each part reads the one before twice has 2^200 paths, and must be walked in 200 steps. */
    @Test
    void sharedPartsAreVisitedOnce() {
        Expr e = X;
        for (int i = 0; i < 200; i++) {
            e = e.mul(0.5).add(e.mul(Y));
        }
        assertEquals(Math.pow(0.75, 200), value(e, 1, 0.25), 1e-30);
        Expr[] slopes = Exprs.gradients(List.of(e), List.of(Expr.of(1)), 2);
        assertEquals(Math.pow(0.75, 200), value(slopes[0], 1, 0.25), 1e-30);
        assertEquals(200 * Math.pow(0.75, 199), value(slopes[1], 1, 0.25), 1e-28);
        Map map = new Map(List.of(e), List.of(io.kingfisher.runtime.DType.F64), null);
        assertTrue(map.toString().length() < 50);
        Expr moved = Exprs.substitute(e, i -> Expr.arg(1 - i));
        assertEquals(Math.pow(0.75, 200), value(moved, 0.25, 1), 1e-30);
    }

    @Test
    void constantsFold() {
        assertEquals(Expr.of(6), Expr.of(2).mul(Expr.of(3)));
        assertSame(X, X.add(0));
        assertSame(X, X.mul(1));
        assertSame(X, X.div(1));
        assertSame(X, X.pow(1));
        assertSame(X, X.neg().neg());
        assertSame(X, Expr.select(Expr.of(1), X, Y));
        assertSame(Y, Expr.select(Expr.of(0), X, Y));
        // 0 times NaN is NaN: it must not fold.
        assertTrue(Double.isNaN(value(X.mul(0), Double.NaN)));
    }

    @Test
    void meaningsOfSpecialValues() {
        double nan = Double.NaN, inf = Double.POSITIVE_INFINITY;
        for (double[] pair : new double[][] {{nan, 1}, {1, nan}}) {
            assertTrue(Double.isNaN(value(X.max(Y), pair)));
            assertTrue(Double.isNaN(value(X.min(Y), pair)));
            assertEquals(0, value(X.lessThan(Y), pair));
            assertEquals(0, value(X.lessOrEqual(Y), pair));
            assertEquals(0, value(X.equalTo(Y), pair));
        }
        assertEquals(1, value(X.sigmoid(), inf));
        assertEquals(0, value(X.sigmoid(), -inf));
        assertEquals(0, value(X.sigmoid(), -1000));
        assertEquals(1000, value(X.softplus(), 1000));
        assertEquals(0, value(X.softplus(), -1000));
        assertEquals(Math.exp(-40), value(X.softplus(), -40), 1e-30);
        assertEquals(0, value(Expr.unary(UnaryOp.IS_FINITE, X), nan));
        assertEquals(0, value(Expr.unary(UnaryOp.IS_FINITE, X), -inf));
        assertEquals(7, value(Expr.select(X, Y, Expr.of(7)), 0, nan));
    }
}
