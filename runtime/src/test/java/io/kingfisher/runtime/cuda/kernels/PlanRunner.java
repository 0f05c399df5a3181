package io.kingfisher.runtime.cuda.kernels;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.kingfisher.runtime.cuda.kernels.KernelEmulator.Order;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Argument;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Entry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Runs a plan on the emulator over given memory. */
final class PlanRunner {
    private PlanRunner() {}

    /** Operands are the inputs and then the outputs; the emulator has been told of their memory. */
    static void run(KernelEmulator emulator, KernelPlan plan, List<MemorySegment> operands, Order order) {
        try (Arena arena = Arena.ofConfined()) {
            List<MemorySegment> announced = new ArrayList<>(), scratch = new ArrayList<>();
            for (int i = 0; i < plan.scratch().size(); i++) {
                MemorySegment memory = arena.allocate(plan.scratch().get(i), 256);
                // What is not asked to be zero is anything.
                memory.fill((byte) (plan.cleared().contains(i) ? 0 : 0xff));
                emulator.allocated(memory.address(), memory.byteSize());
                announced.add(memory);
                scratch.add(memory);
            }
            for (KernelLaunch launch : plan.launches()) {
                MemorySegment values =
                        arena.allocate(ADDRESS, launch.arguments().size());
                for (int i = 0; i < launch.arguments().size(); i++) {
                    Argument argument = launch.arguments().get(i);
                    MemorySegment value = switch (argument) {
                        case Argument.Operand(int index) ->
                            arena.allocateFrom(JAVA_LONG, operands.get(index).address());
                        case Argument.Scratch(int index) ->
                            arena.allocateFrom(JAVA_LONG, scratch.get(index).address());
                        case Argument.Table(List<Entry> entries) -> {
                            MemorySegment table = arena.allocate(JAVA_LONG, entries.size());
                            for (int k = 0; k < entries.size(); k++) {
                                table.setAtIndex(
                                        JAVA_LONG,
                                        k,
                                        switch (entries.get(k)) {
                                            case Entry.Address(int operand, long offset) ->
                                                operands.get(operand).address() + offset;
                                            case Entry.Number(long number) -> number;
                                        });
                            }
                            emulator.allocated(table.address(), table.byteSize());
                            announced.add(table);
                            yield arena.allocateFrom(JAVA_LONG, table.address());
                        }
                        case Argument.Int(int number) -> arena.allocateFrom(JAVA_INT, number);
                        case Argument.Long(long number) -> arena.allocateFrom(JAVA_LONG, number);
                        case Argument.Float(float number) -> arena.allocateFrom(JAVA_FLOAT, number);
                        case Argument.Double(double number) -> arena.allocateFrom(JAVA_DOUBLE, number);
                    };
                    values.setAtIndex(ADDRESS, i, value);
                }
                KernelEmulator.Function function = emulator.function(launch.code(), launch.function());
                List<Integer> bytes =
                        launch.arguments().stream().map(PlanRunner::bytes).toList();
                if (!bytes.equals(function.parameterBytes())) {
                    throw new AssertionError(function.name() + " has parameters of " + function.parameterBytes()
                            + " bytes, its launch passes " + bytes);
                }
                emulator.launch(
                        function,
                        new int[] {launch.gridX(), launch.gridY(), launch.gridZ()},
                        new int[] {launch.blockX(), 1, 1},
                        launch.sharedBytes(),
                        order,
                        values);
            }
            announced.forEach(memory -> emulator.freed(memory.address()));
        }
    }

    private static int bytes(Argument argument) {
        return argument instanceof Argument.Int || argument instanceof Argument.Float ? 4 : 8;
    }
}
