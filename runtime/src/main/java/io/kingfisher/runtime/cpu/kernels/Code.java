package io.kingfisher.runtime.cpu.kernels;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What one element of a kernel computes, as straight-line code over exact operations, each written once (value numbering).
 * Every operation gives the same bits in the interpreter, compiled, and in vectors; what does not is built from those that do.
 */
final class Code {
    /** The type of a value: float, int, a condition, double. */
    enum Kind {
        F,
        I,
        M,
        D
    }

    enum Op {
        /** Operand {@code bits}, converted to float or double. */
        LOAD,
        /** The number with the bits {@code bits}. */
        CONST,
        ADD,
        SUB,
        MUL,
        DIV,
        MAX,
        MIN,
        /** a * b + c, rounded once. */
        FMA,
        NEG,
        ABS,
        SQRT,
        LT,
        LE,
        EQ,
        /** b where the condition a holds, else c. */
        SELECT,
        /** A float truncated to an int, as by a Java cast. */
        F2I,
        I2F,
        /** A float's bits as an int. */
        BITS,
        /** An int as the bits of a float. */
        FLOAT,
        IADD,
        ISUB,
        IAND,
        IOR,
        /** Shifts by {@code bits}. */
        SHL,
        SHR,
        /** Function {@code bits} of {@link Functions}, which exists for single elements alone. */
        CALL
    }

    /** One operation; operands are the numbers of earlier ones, -1 where there are none. */
    record Inst(Op op, Kind kind, int a, int b, int c, long bits) {}

    private final List<Inst> insts = new ArrayList<>();
    private final Map<Inst, Integer> numbers = new HashMap<>();

    List<Inst> insts() {
        return List.copyOf(insts);
    }

    Inst inst(int value) {
        return insts.get(value);
    }

    int add(Op op, Kind kind, int a, int b, int c, long bits) {
        Inst inst = new Inst(op, kind, a, b, c, bits);
        return numbers.computeIfAbsent(inst, i -> {
            insts.add(i);
            return insts.size() - 1;
        });
    }

    private Kind kind(int value) {
        return insts.get(value).kind();
    }

    int load(int operand, Kind kind) {
        return add(Op.LOAD, kind, -1, -1, -1, operand);
    }

    int constant(double value, Kind kind) {
        long bits = kind == Kind.D ? Double.doubleToRawLongBits(value) : Float.floatToRawIntBits((float) value);
        return add(Op.CONST, kind, -1, -1, -1, bits);
    }

    int f(double value) {
        return constant(value, Kind.F);
    }

    int i(int value) {
        return add(Op.CONST, Kind.I, -1, -1, -1, value);
    }

    /** An operation whose result has the type of its first operand. */
    int unary(Op op, int a) {
        return add(op, kind(a), a, -1, -1, 0);
    }

    int binary(Op op, int a, int b) {
        return add(op, kind(a), a, b, -1, 0);
    }

    int plus(int a, int b) {
        return binary(Op.ADD, a, b);
    }

    int minus(int a, int b) {
        return binary(Op.SUB, a, b);
    }

    int times(int a, int b) {
        return binary(Op.MUL, a, b);
    }

    int over(int a, int b) {
        return binary(Op.DIV, a, b);
    }

    int fma(int a, int b, int c) {
        return add(Op.FMA, kind(a), a, b, c, 0);
    }

    int compare(Op op, int a, int b) {
        return add(op, Kind.M, a, b, -1, 0);
    }

    int select(int condition, int a, int b) {
        return add(Op.SELECT, kind(a), condition, a, b, 0);
    }

    int convert(Op op, Kind to, int a) {
        return add(op, to, a, -1, -1, 0);
    }

    int bits(int a) {
        return convert(Op.BITS, Kind.I, a);
    }

    int floatOf(int a) {
        return convert(Op.FLOAT, Kind.F, a);
    }

    int shift(Op op, int a, int by) {
        return add(op, Kind.I, a, -1, -1, by);
    }

    int call(Functions function, Kind kind, int a, int b) {
        return add(Op.CALL, kind, a, b, -1, function.ordinal());
    }

    /** c[0] + c[1] x + c[2] x^2 ... by Horner's rule. */
    int polynomial(int x, double... c) {
        int result = f(c[c.length - 1]);
        for (int k = c.length - 2; k >= 0; k--) {
            result = fma(result, x, f(c[k]));
        }
        return result;
    }
}
