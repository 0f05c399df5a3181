package io.kingfisher.runtime.cuda.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Argument;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The texts of kernels: written ones are resources, generated ones begin with some of these. */
final class Sources {
    private final Map<String, String> texts = new ConcurrentHashMap<>();
    private final long narrow;

    /** Offsets and numbers of elements below {@code narrow} are counted in 32 bits. */
    Sources(long narrow) {
        this.narrow = narrow;
    }

    /** Whether to count that many elements takes 64 bits. */
    boolean wide(long elements) {
        return elements >= narrow;
    }

    /** A resource beside this class. */
    String text(String name) {
        return texts.computeIfAbsent(name, Sources::read);
    }

    private static String read(String name) {
        try (InputStream in = Sources.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the kernel source " + name + " is not in the jar");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Several resources, one after another. */
    String texts(String... names) {
        StringBuilder all = new StringBuilder();
        for (String name : names) {
            all.append(text(name)).append('\n');
        }
        return all.toString();
    }

    /**
     * A written kernel for one type of elements: its source sees {@code Element}, the type in memory, and {@code Real}, the
     * type of arithmetic, and {@code Index}, which counts all elements: divisions of 64 bits are slow.
     *
     * @param elements how many elements or more there are to count
     * @param constants lines of C++ between the common parts and the kernel's own, which set what it leaves open
     */
    KernelCode code(String file, DType dtype, long elements, String constants) {
        boolean wide = dtype == DType.F64;
        String own = text(file);
        String text = text("numbers.cuh")
                + "typedef " + element(dtype) + " Element;\n"
                + "typedef " + real(dtype) + " Real;\n"
                + "__device__ __forceinline__ Real real(Element x) { return " + convert(real(dtype)) + "(x); }\n"
                + "__device__ __forceinline__ Element element(Real x) { return As<Element>::of(x); }\n"
                + "typedef " + index(elements) + " Index;\n"
                + "#define INFINITE " + ExprWriter.literal(Double.POSITIVE_INFINITY, wide) + "\n"
                + "#define NOT_A_NUMBER " + ExprWriter.literal(Double.NaN, wide) + "\n"
                + constants
                + (own.contains("own_row") ? text("rows.cuh") : "")
                + own;
        return new KernelCode(file, text);
    }

    /** A number of type {@code Index} where that many elements are counted. */
    Argument index(long elements, long value) {
        return wide(elements) ? new Argument.Long(value) : new Argument.Int((int) value);
    }

    private String index(long elements) {
        return wide(elements) ? "long long" : "unsigned";
    }

    /** The type of elements in memory. */
    static String element(DType dtype) {
        return switch (dtype.name()) {
            case "F32" -> "float";
            case "F64" -> "double";
            case "BF16" -> "bf16";
            case "F16" -> "f16";
            case "I32" -> "int";
            case "U8" -> "unsigned char";
            default -> throw new IllegalArgumentException("no CUDA type for " + dtype);
        };
    }

    /** The type in which elements are computed with. */
    static String real(DType dtype) {
        return dtype == DType.F64 ? "double" : "float";
    }

    /** The function that converts elements to a type of arithmetic. */
    static String convert(String real) {
        return "to_" + real;
    }
}
