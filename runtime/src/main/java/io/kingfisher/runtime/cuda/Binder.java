package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.cuda.driver.Driver;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Argument;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Entry;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import io.kingfisher.runtime.cuda.kernels.KernelPlan;
import io.kingfisher.runtime.plan.Buffer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Makes launches from plans: finds out which sources are needed, and once they are compiled and all memory is placed packs
 * the arguments.
 */
final class Binder {
    /** What every kernel may use without being asked. */
    private static final int SHARED = 48 << 10;

    private final Driver driver;
    private final Resources resources;
    private final Set<KernelCode> codes = new LinkedHashSet<>();
    private final Map<Buffer, List<Entry>> contents = new LinkedHashMap<>();
    private final Map<Buffer, List<Buffer>> operandsOf = new LinkedHashMap<>();
    private final Map<List<Object>, Long> functions = new HashMap<>();
    private Map<KernelCode, Long> modules = Map.of();

    Binder(Driver driver, Resources resources) {
        this.driver = driver;
        this.resources = resources;
    }

    Resources resources() {
        return resources;
    }

    /** Notes what a plan needs; what is returned makes the step when {@link #load} is done and all buffers have places. */
    Supplier<CudaStep> launches(KernelPlan plan, List<Buffer> operands, List<Buffer> scratch) {
        List<Map<Argument.Table, Buffer>> own = new ArrayList<>();
        for (KernelLaunch launch : plan.launches()) {
            codes.add(launch.code());
            Map<Argument.Table, Buffer> of = new HashMap<>();
            for (Argument argument : launch.arguments()) {
                if (argument instanceof Argument.Table table) {
                    Buffer buffer = Buffer.pinned(Math.max(1, table.entries().size()) * (long) Long.BYTES);
                    of.put(table, buffer);
                    operandsOf.put(buffer, operands);
                    contents.put(buffer, table.entries());
                }
            }
            own.add(of);
        }
        return () -> {
            List<CudaStep> steps = new ArrayList<>();
            for (int index : plan.cleared()) {
                Buffer buffer = scratch.get(index);
                steps.add(new CudaStep.Clear(buffer.address(), buffer.bytes()));
            }
            for (int i = 0; i < plan.launches().size(); i++) {
                steps.add(bind(plan.launches().get(i), operands, scratch, own.get(i)));
            }
            return steps.size() == 1 ? steps.get(0) : new CudaStep.Several(List.copyOf(steps));
        };
    }

    /** The tables of all plans, which last as long as the program. */
    Set<Buffer> tables() {
        return contents.keySet();
    }

    /** Compiles what is needed. */
    void load(KernelCompiler compiler) {
        modules = compiler.modules(codes);
    }

    /** Writes the tables, whose places and those of all operands are known. */
    void upload(long stream) {
        try (Arena arena = Arena.ofConfined()) {
            contents.forEach((buffer, entries) -> {
                MemorySegment values = arena.allocate(buffer.bytes(), 8);
                List<Buffer> operands = operandsOf.get(buffer);
                for (int i = 0; i < entries.size(); i++) {
                    values.setAtIndex(
                            ValueLayout.JAVA_LONG,
                            i,
                            switch (entries.get(i)) {
                                case Entry.Address(int operand, long offset) ->
                                    operands.get(operand).address() + offset;
                                case Entry.Number(long value) -> value;
                            });
                }
                driver.upload(buffer.address(), values, stream);
            });
            driver.synchronize(stream);
        }
    }

    private CudaStep bind(
            KernelLaunch launch, List<Buffer> operands, List<Buffer> scratch, Map<Argument.Table, Buffer> tables) {
        List<Argument> arguments = launch.arguments();
        Arena arena = resources.arena();
        MemorySegment pointers = arena.allocate(ValueLayout.ADDRESS, Math.max(1, arguments.size()));
        for (int i = 0; i < arguments.size(); i++) {
            MemorySegment value = arena.allocate(8, 8);
            switch (arguments.get(i)) {
                case Argument.Operand(int index) ->
                    value.set(ValueLayout.JAVA_LONG, 0, operands.get(index).address());
                case Argument.Scratch(int index) ->
                    value.set(ValueLayout.JAVA_LONG, 0, scratch.get(index).address());
                case Argument.Table table ->
                    value.set(ValueLayout.JAVA_LONG, 0, tables.get(table).address());
                case Argument.Int(int number) -> value.set(ValueLayout.JAVA_INT, 0, number);
                case Argument.Long(long number) -> value.set(ValueLayout.JAVA_LONG, 0, number);
                case Argument.Float(float number) -> value.set(ValueLayout.JAVA_FLOAT, 0, number);
                case Argument.Double(double number) -> value.set(ValueLayout.JAVA_DOUBLE, 0, number);
            }
            pointers.setAtIndex(ValueLayout.ADDRESS, i, value);
        }
        return new CudaStep.Launch(
                function(launch),
                launch.gridX(),
                launch.gridY(),
                launch.gridZ(),
                launch.blockX(),
                launch.sharedBytes(),
                pointers);
    }

    private long function(KernelLaunch launch) {
        long function = functions.computeIfAbsent(
                List.of(launch.code(), launch.function()),
                _ -> driver.function(modules.get(launch.code()), launch.function()));
        if (launch.sharedBytes() > SHARED) {
            driver.allowShared(function, launch.sharedBytes());
        }
        return function;
    }
}
