package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.cpu.kernels.Code.Inst;
import io.kingfisher.runtime.cpu.kernels.Code.Kind;
import io.kingfisher.runtime.cpu.kernels.Code.Op;
import io.kingfisher.runtime.graph.Reduce;
import java.util.List;

/**
 * All that generated code depends on: equal specs share one loop.
 *
 * @param kind F or D, what is computed in
 */
record LoopSpec(List<Inst> code, Kind kind, List<Operand> inputs, List<Result> results) {
    /** How an operand's elements lie along a row. */
    enum Access {
        /** One after another. */
        ELEMENTS,
        /** The same one for the whole row. */
        INVARIANT,
        /** At equal distances: no vectors. */
        STRIDED
    }

    record Operand(DType dtype, Access access) {}

    /**
     * What becomes of a value.
     *
     * @param value its number in the code
     * @param fold null to store it; else it is folded into {@link #lanes()} elements of the compute type at the result's
     *     address, element i of a row into lane i mod lanes
     */
    record Result(int value, DType dtype, Access access, Reduce.Kind fold) {}

    /** Vector code longer than this might exceed what the JIT compiler inlines. */
    private static final int MOST_VECTOR_OPERATIONS = 250;

    private static final int MOST_UNROLLED_OPERATIONS = 100;

    LoopSpec {
        inputs = List.copyOf(inputs);
        results = List.copyOf(results);
    }

    int operands() {
        return inputs.size() + results.size();
    }

    boolean folds() {
        return results.stream().anyMatch(result -> result.fold() != null);
    }

    /** The lanes of a fold: a property of the expression alone, so that sums are the same on every machine. */
    int lanes() {
        return kind == Kind.D ? 8 : code.size() <= 40 ? 32 : 16;
    }

    /** For each value whether it is the same for a whole row. */
    boolean[] invariant() {
        boolean[] result = new boolean[code.size()];
        for (int i = 0; i < result.length; i++) {
            Inst inst = code.get(i);
            result[i] = switch (inst.op()) {
                case LOAD -> inputs.get((int) inst.bits()).access() == Access.INVARIANT;
                case CONST -> true;
                default ->
                    (inst.a() < 0 || result[inst.a()])
                            && (inst.b() < 0 || result[inst.b()])
                            && (inst.c() < 0 || result[inst.c()]);
            };
        }
        return result;
    }

    /** Whether vectors of {@code length} floats can run this. */
    boolean vectorizes(int length) {
        boolean[] invariant = invariant();
        int operations = 0;
        for (int i = 0; i < invariant.length; i++) {
            if (!invariant[i]) {
                operations++;
                if (code.get(i).op() == Op.CALL) {
                    return false;
                }
            }
        }
        int unrolled = folds() ? operations * Math.max(1, lanes() / length) : operations;
        boolean small = folds() ? unrolled <= MOST_UNROLLED_OPERATIONS : unrolled <= MOST_VECTOR_OPERATIONS;
        return kind == Kind.F
                && small
                && inputs.stream().allMatch(input -> fits(input.access(), input.dtype(), length))
                && results.stream()
                        .allMatch(result -> result.fold() != null
                                ? lanes() % length == 0
                                : fits(result.access(), result.dtype(), length));
    }

    private static boolean fits(Access access, DType dtype, int length) {
        return switch (access) {
            case INVARIANT -> true;
            case STRIDED -> false;
            case ELEMENTS ->
                switch (dtype) {
                    case F32, I32 -> true;
                    // As many bytes or shorts as floats must make a vector of their own.
                    case BF16 -> length >= 4 && length <= 32;
                    // The Vector API has no conversion of IEEE halves.
                    case F16 -> false;
                    case U8 -> length >= 8 && length <= 64;
                    case F64 -> false;
                };
        };
    }
}
