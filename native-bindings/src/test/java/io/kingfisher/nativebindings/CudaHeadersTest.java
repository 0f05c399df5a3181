package io.kingfisher.nativebindings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Compares the generated packages with the vendors' headers by a generated C++ file that must compile: the kinds and widths
 * of every function's result and parameters, the value of every constant, and every struct's size and offsets. Headers are
 * looked for in the folders that {@code KINGFISHER_CUDA_INCLUDE} lists, and in {@code /usr/local/cuda/include}.
 */
class CudaHeadersTest {
    private static final String CHECKS = """
            #include <cstddef>
            #include <type_traits>

            template <class T>
            constexpr char kind() {
                if constexpr (std::is_void_v<T>) return 'V';
                else if constexpr (std::is_pointer_v<T>) return 'P';
                else if constexpr (std::is_same_v<T, float>) return 'F';
                else if constexpr (std::is_same_v<T, double>) return 'D';
                else if constexpr (std::is_class_v<T> || std::is_union_v<T>) return 'A';
                else return sizeof(T) == 8 ? 'J' : sizeof(T) == 4 ? 'I' : sizeof(T) == 2 ? 'S' : 'B';
            }

            template <class R, class... P>
            constexpr bool is(R (*)(P...), const char *expected) {
                const char kinds[] = {kind<R>(), kind<P>()..., 0};
                for (std::size_t i = 0; i < sizeof kinds; i++)
                    if (kinds[i] != expected[i]) return false;
                return true;
            }

            """;

    /** To C++ cuBLAS's header gives more functions of the same names, which are not in the library; to C it does not. */
    private static final String CUBLAS = """
            #include <cstddef>
            #include <type_traits>
            #include <stdint.h>
            #include <driver_types.h>
            #include <cuComplex.h>
            #include <cuda_fp16.h>
            #include <cuda_bf16.h>
            #include <library_types.h>
            #undef __cplusplus
            """;

    /** Constants that say which version the headers are. */
    private static final Pattern VERSIONS = Pattern.compile("\\w*VERSION\\w*|CUDNN_(MAJOR|MINOR)");

    @TempDir
    Path folder;

    private static List<Path> includes() {
        var listed = System.getenv("KINGFISHER_CUDA_INCLUDE");
        var folders = new ArrayList<Path>();
        if (listed != null) {
            Arrays.stream(listed.split(File.pathSeparator)).map(Path::of).forEach(folders::add);
        }
        folders.add(Path.of("/usr/local/cuda/include"));
        return folders.stream().filter(Files::isDirectory).toList();
    }

    private record Compiled(int exit, String output) {}

    private Compiled compile(String source, String... flags) throws IOException, InterruptedException {
        var file = Files.writeString(folder.resolve("check.cpp"), source);
        var command = new ArrayList<>(List.of("c++", "-std=c++17", "-w"));
        command.addAll(List.of(flags));
        includes().forEach(include -> command.add("-I" + include));
        command.add(file.toString());
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(2, TimeUnit.MINUTES));
        return new Compiled(process.exitValue(), output);
    }

    @ParameterizedTest
    @CsvSource({
        "cuda, cuda.h cudaProfiler.h",
        "cublas, cublas_v2.h",
        "cublaslt, cublasLt.h",
        "cudnn, cudnn.h",
        "cusolver, cusolverDn.h",
        "nvrtc, nvrtc.h",
        "nccl, nccl.h",
        "nvtx, cuda.h nvtx3/nvToolsExt.h nvtx3/nvToolsExtCuda.h"
    })
    void theHeadersSayTheSame(String name, String headers) throws Exception {
        var binding = GeneratedBinding.of(name);
        assertFalse(binding.functions().isEmpty());
        assertFalse(binding.constants().isEmpty());
        assertEquals(
                binding.functions().keySet(), included(name, "function"), "the includes file names other functions");
        for (var header : headers.split(" ")) {
            assumeTrue(
                    includes().stream().anyMatch(include -> Files.exists(include.resolve(header))),
                    () -> name + " is not compared with its headers: there is no " + header + " in " + includes()
                            + "; list the headers' folders in KINGFISHER_CUDA_INCLUDE");
        }
        FakeLibraries.assumeCompiler();
        // All versions of every function, and declarations instead of definitions.
        var prologue = "#define __CUDA_API_VERSION_INTERNAL\n#define NVTX_NO_IMPL\n"
                + (name.equals("cublas") ? CUBLAS : "")
                + Arrays.stream(headers.split(" "))
                        .map(header -> "#include <" + header + ">\n")
                        .collect(Collectors.joining());
        var names = names(prologue);

        var source = new StringBuilder(prologue).append(CHECKS);
        var absent = new TreeSet<String>();
        binding.functions().forEach((function, kinds) -> {
            if (names.contains(function)) {
                source.append("static_assert(is(&%s, \"%s\"), \"%s\");\n".formatted(function, kinds, function));
            } else {
                absent.add(function);
            }
        });
        binding.constants().forEach((constant, value) -> {
            if (VERSIONS.matcher(constant).matches()) {
                return;
            }
            if (names.contains(constant)) {
                source.append("static_assert((long long)(%s) == %dLL, \"%s\");\n".formatted(constant, value, constant));
            } else {
                absent.add(constant);
            }
        });
        binding.structs().forEach((struct, layout) -> {
            source.append("static_assert(sizeof(%s) == %d, \"%s\");\n".formatted(struct, layout.byteSize(), struct));
            for (var member : GeneratedBinding.members(layout)) {
                source.append("static_assert(offsetof(%s, %s) == %d, \"%s.%s\");\n"
                        .formatted(struct, member.name(), member.offset(), struct, member.name()));
            }
        });
        var compiled = compile(source.toString(), "-fsyntax-only");
        assertEquals(0, compiled.exit(), compiled.output());
        // Headers of another version than those that were bound may lack some; those that were bound lack none.
        assertTrue(absent.isEmpty() || isOther(name, prologue), () -> "the headers have no " + absent);
    }

    /** What the includes file, from which the package was generated, asks for. */
    private static Set<String> included(String name, String kind) throws IOException {
        var beginning = "--include-" + kind + " ";
        return Files.readAllLines(Path.of("jextract", name + ".includes")).stream()
                .filter(line -> line.startsWith(beginning))
                .map(line -> line.substring(beginning.length()))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** All names that the headers declare or define. */
    private Set<String> names(String prologue) throws IOException, InterruptedException {
        var preprocessed = compile(prologue, "-E", "-dD");
        assertEquals(0, preprocessed.exit(), preprocessed.output());
        var names = new TreeSet<String>();
        var matcher = Pattern.compile("[A-Za-z_]\\w*").matcher(preprocessed.output());
        while (matcher.find()) {
            names.add(matcher.group());
        }
        return names;
    }

    /** Whether the headers are of another version than those that the packages were generated from. */
    private boolean isOther(String name, String prologue) throws Exception {
        var condition = switch (name) {
            case "cudnn" -> "CUDNN_MAJOR * 100 + CUDNN_MINOR != 913";
            case "nccl" -> "NCCL_VERSION_CODE != 23007";
            default -> "CUDA_VERSION != 13000";
        };
        var source = "#include <cuda.h>\n" + prologue + "static_assert(" + condition + ", \"\");\n";
        return compile(source, "-fsyntax-only").exit() == 0;
    }

    /** The check itself finds what is wrong: a parameter's width, a constant's value, a struct's offset. */
    @ParameterizedTest
    @CsvSource({"f, VPIJ, 0", "f, VPJJ, 1", "f, VPI, 1", "f, IPIJ, 1", "g, FDAS, 0", "g, FDPS, 1"})
    void theCheckItself(String function, String kinds, int exit) throws Exception {
        FakeLibraries.assumeCompiler();
        var declarations = "struct s { int a; };\nvoid f(void *, int, unsigned long);\nfloat g(double, s, short);\n";
        var check = "static_assert(is(&%s, \"%s\"), \"\");\n".formatted(function, kinds);
        var compiled = compile(CHECKS + declarations + check, "-fsyntax-only");
        assertEquals(exit, compiled.exit(), compiled.output());
    }
}
