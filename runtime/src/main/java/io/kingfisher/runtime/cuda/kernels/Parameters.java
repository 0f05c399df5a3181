package io.kingfisher.runtime.cuda.kernels;

import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Argument;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Entry;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The parameters of a generated kernel with what is passed for them: as arguments, or as a row of a table. */
final class Parameters {
    private record Parameter(String type, String name, Argument value) {}

    private final boolean wide;
    private final List<Parameter> all = new ArrayList<>();

    /** Indices are numbers of 64 bits or of 32. */
    Parameters(boolean wide) {
        this.wide = wide;
    }

    void pointer(String element, boolean written, String name, Argument value) {
        all.add(new Parameter((written ? "" : "const ") + element + "* ", name, value));
    }

    /** A number of elements, an offset or a stride; returns its name. */
    String index(String name, long value) {
        all.add(new Parameter("const Index ", name, wide ? new Argument.Long(value) : new Argument.Int((int) value)));
        return name;
    }

    /**
     * Passes an extent and returns expressions for the quotient and the remainder of a number by it, the number's name
     * standing for {@code %s}.
     */
    Division division(String name, long extent) {
        index(name, extent);
        if (wide) {
            return new Division("%s / " + name, name);
        }
        // The quotient is (high(n * factor) + n) >> shift.
        int shift = extent <= 1 ? 0 : 64 - Long.numberOfLeadingZeros(extent - 1);
        long factor = extent == 0 ? 1 : ((1L << 32) * ((1L << shift) - extent)) / extent + 1;
        index(name + "_factor", factor);
        index(name + "_shift", shift);
        return new Division("quotient(%s, " + name + "_factor, " + name + "_shift)", name);
    }

    record Division(String quotient, String extent) {
        String quotient(String of) {
            return quotient.formatted(of);
        }
    }

    String declarations() {
        return all.stream().map(p -> p.type + p.name).collect(Collectors.joining(", "));
    }

    List<Argument> arguments() {
        return all.stream().map(Parameter::value).toList();
    }

    /** Statements that read all parameters from {@code row}, from its second entry on. */
    String fromRow(String indent) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < all.size(); i++) {
            Parameter p = all.get(i);
            String type = p.type.startsWith("const Index") ? "Index" : p.type.strip();
            text.append(indent + p.type + p.name + " = (" + type + ") row[" + (i + 1) + "];\n");
        }
        return text.toString();
    }

    /** The entries of such a row after its first; operands are counted from {@code operand} on. */
    List<Entry> entries(int operand) {
        List<Entry> entries = new ArrayList<>();
        for (Parameter p : all) {
            entries.add(
                    switch (p.value) {
                        case Argument.Operand(int index) -> new Entry.Address(operand + index, 0);
                        case Argument.Int(int value) -> new Entry.Number(value & 0xffffffffL);
                        case Argument.Long(long value) -> new Entry.Number(value);
                        default -> throw new IllegalArgumentException(p.value + " cannot be in a table");
                    });
        }
        return entries;
    }
}
