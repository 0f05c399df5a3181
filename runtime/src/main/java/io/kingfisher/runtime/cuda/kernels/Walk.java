package io.kingfisher.runtime.cuda.kernels;

import java.util.ArrayList;
import java.util.List;

/** Writes how operands' offsets follow from a place counted in row-major order over a space. */
final class Walk {
    private final Space space;
    private final String prefix;
    private final Parameters parameters;

    /** {@code prefix} begins all names. */
    Walk(Space space, String prefix, Parameters parameters) {
        this.space = space;
        this.prefix = prefix;
        this.parameters = parameters;
    }

    /**
     * Statements that define the index along each axis that one of the operands needs.
     *
     * @param place the variable with the place
     */
    String indices(String place, List<Integer> operands, String indent) {
        int outermost = space.rank();
        for (int axis = space.last(); axis >= 0; axis--) {
            for (int k : operands) {
                if (!space.linear(k) && space.strides()[k][axis] != 0) {
                    outermost = axis;
                }
            }
        }
        StringBuilder text = new StringBuilder();
        String rest = place;
        for (int axis = space.last(); axis >= outermost; axis--) {
            String index = prefix + "i" + axis;
            if (axis == 0) {
                text.append(indent + "const Index " + index + " = " + rest + ";\n");
                break;
            }
            Parameters.Division division = parameters.division(prefix + "extent" + axis, space.extents()[axis]);
            String next = prefix + "rest" + axis;
            text.append(indent + "const Index " + next + " = " + division.quotient(rest) + ";\n");
            text.append(
                    indent + "const Index " + index + " = " + rest + " - " + next + " * " + division.extent() + ";\n");
            rest = next;
        }
        return text.toString();
    }

    /** An expression for an operand's offset, after {@link #indices}. */
    String offset(int operand, String place) {
        if (space.repeats(operand)) {
            return "0";
        } else if (space.linear(operand)) {
            return place;
        }
        List<String> terms = new ArrayList<>();
        for (int axis = 0; axis < space.rank(); axis++) {
            long stride = space.strides()[operand][axis];
            if (stride == 1) {
                terms.add(prefix + "i" + axis);
            } else if (stride != 0) {
                terms.add(prefix + "i" + axis + " * "
                        + parameters.index(prefix + "stride" + operand + "_" + axis, stride));
            }
        }
        return String.join(" + ", terms);
    }
}
