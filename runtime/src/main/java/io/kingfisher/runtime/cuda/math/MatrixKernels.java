package io.kingfisher.runtime.cuda.math;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.cuda.KernelCompiler;
import io.kingfisher.runtime.cuda.driver.Driver;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Launches of {@code factorizations.cu} in one type. Arguments lie at fixed places; one thread at a time. */
final class MatrixKernels {
    private static final int THREADS = 256;
    private static final int MOST_BLOCKS = 4096;
    private static final int MOST_PARAMETERS = 10;

    private final Driver driver;
    private final MemorySegment slots;
    private final MemorySegment arguments;
    private final long check;
    private final long load;
    private final long settle;
    private final long pivots;
    private final long store;
    private final long pointers;

    MatrixKernels(Driver driver, KernelCompiler compiler, DType dtype, Arena arena) {
        this.driver = driver;
        KernelCode code = code(dtype);
        long module = compiler.modules(List.of(code)).get(code);
        this.check = driver.function(module, "check");
        this.load = driver.function(module, "load");
        this.settle = driver.function(module, "settle");
        this.pivots = driver.function(module, "pivots");
        this.store = driver.function(module, "store");
        this.pointers = driver.function(module, "pointers");
        this.slots = arena.allocate(JAVA_LONG, MOST_PARAMETERS);
        this.arguments = arena.allocate(ADDRESS, MOST_PARAMETERS);
        for (int i = 0; i < MOST_PARAMETERS; i++) {
            arguments.setAtIndex(ADDRESS, i, slots.asSlice(8L * i, 8));
        }
    }

    /** The source for a type, also for whoever checks that it compiles. */
    static KernelCode code(DType dtype) {
        String number = dtype == DType.F64 ? "double" : "float";
        try (var in = MatrixKernels.class.getResourceAsStream("factorizations.cu")) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            return new KernelCode("factorizations.cu", "typedef " + number + " Number;\n" + text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** An int is the low half of a slot, as everything here is little-endian. */
    private void launch(long function, long elements, long batch, long stream, long... values) {
        for (int i = 0; i < values.length; i++) {
            slots.setAtIndex(JAVA_LONG, i, values[i]);
        }
        int blocks = Math.clamp((elements + THREADS - 1) / THREADS, 1, MOST_BLOCKS);
        int rows = (int) Math.min(batch, 65535);
        driver.launch(function, blocks, rows, 1, THREADS, 1, 1, 0, stream, arguments);
    }

    void check(long stream, long a, long bad, long rows, long columns, long batch, boolean lower) {
        driver.fill(bad, (byte) 0, 4 * batch, stream);
        launch(check, rows * columns, batch, stream, a, bad, rows, columns, batch, lower ? 1 : 0);
    }

    void load(long stream, long a, long copy, long bad, long rows, long columns, long batch, boolean transposed) {
        launch(load, rows * columns, batch, stream, a, copy, bad, rows, columns, batch, transposed ? 1 : 0);
    }

    void settle(long stream, long info, long bad, long batch) {
        launch(settle, batch, 1, stream, info, bad, batch);
    }

    void pivots(long stream, long factor, long info, long n, long batch) {
        launch(pivots, batch, 1, stream, factor, info, n, batch);
    }

    void store(
            long stream,
            long from,
            long to,
            long info,
            long rows,
            long columns,
            long row,
            long column,
            long stride,
            long batch,
            int triangle) {
        launch(
                store,
                rows * columns,
                batch,
                stream,
                from,
                to,
                info,
                rows,
                columns,
                row,
                column,
                stride,
                batch,
                triangle);
    }

    void pointers(long stream, long first, long bytes, long array, long count) {
        launch(pointers, count, 1, stream, first, bytes, array, count);
    }
}
