package io.kingfisher.runtime.cuda.kernels;

import java.util.List;
import java.util.function.IntFunction;

/**
 * A launch of one of our own kernels before its memory is placed.
 *
 * @param code the source that has the kernel
 * @param function its name, an {@code extern "C"} function
 * @param sharedBytes dynamic shared memory
 * @param arguments the kernel's parameters in order
 */
public record KernelLaunch(
        KernelCode code,
        String function,
        int gridX,
        int gridY,
        int gridZ,
        int blockX,
        int sharedBytes,
        List<Argument> arguments) {
    public KernelLaunch {
        arguments = List.copyOf(arguments);
    }

    /** The same launch with other arguments. */
    KernelLaunch with(List<Argument> others) {
        return new KernelLaunch(code, function, gridX, gridY, gridZ, blockX, sharedBytes, others);
    }

    /** The same launch with each operand replaced by an argument. */
    KernelLaunch withOperands(IntFunction<Argument> replacement) {
        return with(arguments.stream()
                .map(argument -> argument instanceof Argument.Operand(int index) ? replacement.apply(index) : argument)
                .toList());
    }

    /**
     * CUDA C++ to be compiled by NVRTC.
     *
     * @param name for messages and profilers, such as {@code softmax.cu}
     * @param text the whole source, includes already put in
     */
    public record KernelCode(String name, String text) {}

    /** A parameter of a kernel. Operands are the inputs and then the outputs of what is computed, counted together. */
    public sealed interface Argument {
        /** The address of an operand. */
        record Operand(int index) implements Argument {}

        /** The address of scratch memory of the {@link KernelPlan}. */
        record Scratch(int index) implements Argument {}

        /** The address of constant bytes in device memory. */
        record Table(List<Entry> entries) implements Argument {}

        record Int(int value) implements Argument {}

        record Long(long value) implements Argument {}

        record Float(float value) implements Argument {}

        record Double(double value) implements Argument {}
    }

    /** Eight bytes of a table. */
    public sealed interface Entry {
        /** An operand's address, plus an offset in bytes. */
        record Address(int operand, long offset) implements Entry {}

        record Number(long value) implements Entry {}
    }
}
