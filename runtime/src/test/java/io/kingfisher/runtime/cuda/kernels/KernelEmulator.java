package io.kingfisher.runtime.cuda.kernels;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/**
 * Compiles kernels for the processor, many in one call of g++, and runs them on it. What has been compiled is kept in
 * {@code target/emulation} from one run of the tests to the next.
 *
 * <p>A launch that accesses memory that was not {@linkplain #allocated announced}, misses a barrier or waits at one for ever
 * is an {@link AssertionError}.
 */
@SuppressWarnings("restricted")
public final class KernelEmulator implements AutoCloseable {
    /** In which order the threads of a block, and the blocks, run. */
    public enum Order {
        FORWARD,
        REVERSE,
        SHUFFLED
    }

    private static final int BATCH = 40;
    private static final List<String> OPTIONS = List.of(
            "-std=c++17",
            "-O1",
            "-shared",
            "-fPIC",
            "-w",
            "-fno-exceptions",
            "-fno-rtti",
            "-ffp-contract=off",
            "-fno-strict-aliasing",
            "-fno-math-errno",
            "-fsanitize=kernel-address",
            "--param=asan-instrumentation-with-call-threshold=0",
            "--param=asan-stack=0",
            "--param=asan-globals=0");
    private static final Pattern KERNEL =
            Pattern.compile("extern \"C\" __global__ void\\s+(?:__launch_bounds__\\([^)]*\\)\\s+)?(\\w+)\\s*\\(");
    private static final Pattern SHARED = Pattern.compile("__shared__ (\\w+) (\\w+)((?:\\[[^\\]]+\\])+);");
    private static final Pattern DYNAMIC = Pattern.compile("extern __shared__ (\\w+) (\\w+)\\[\\];");

    private final Arena arena = Arena.ofShared();
    private final Path folder;
    private final String header;
    private final MethodHandle launch;
    private final MethodHandle announce;
    private final MethodHandle forget;
    /** Where each compiled source is: the library and the source's number in it. */
    private final Map<String, Place> compiled = new HashMap<>();

    private final Map<Path, SymbolLookup> libraries = new HashMap<>();
    private final Map<KernelCode, String> hashes = new HashMap<>();
    private final Map<String, Boolean> barriers = new HashMap<>();

    private record Place(Path library, int number) {}

    /** A kernel that can be launched, and the sizes of its parameters. */
    public record Function(String name, MemorySegment entry, boolean barriers, List<Integer> parameterBytes) {}

    /** Skips the test that asks for it where there is no g++. */
    public static KernelEmulator open() {
        Assumptions.assumeTrue(present(), "g++ is not on the PATH, so kernels cannot be run on the processor");
        return new KernelEmulator(Path.of("target", "emulation"));
    }

    private static boolean present() {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(":"))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, "g++")));
    }

    private KernelEmulator(Path root) {
        header = resource("emulation.h");
        String runtime = resource("emulation.cpp");
        folder = root.toAbsolutePath().resolve(hash(header + runtime + OPTIONS).substring(0, 12));
        try {
            Files.createDirectories(folder);
            write(folder.resolve("emulation.h"), header);
            Path library = folder.resolve("libemulation.so");
            if (!Files.exists(library)) {
                Path source = write(folder.resolve("emulation.cpp"), runtime);
                compile(List.of("-O2", "-shared", "-fPIC", "-std=c++17"), source, library, List.of());
            }
            SymbolLookup symbols = SymbolLookup.libraryLookup(library, arena);
            Linker linker = Linker.nativeLinker();
            launch = linker.downcallHandle(
                    symbols.findOrThrow("emulated_launch"),
                    FunctionDescriptor.of(
                            ADDRESS, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG,
                            JAVA_INT, JAVA_INT, ADDRESS));
            announce = linker.downcallHandle(
                    symbols.findOrThrow("emulated_allocated"), FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG));
            forget = linker.downcallHandle(symbols.findOrThrow("emulated_freed"), FunctionDescriptor.ofVoid(JAVA_LONG));
            known();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String resource(String name) {
        try (InputStream in = KernelEmulator.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest).substring(0, 32);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Reads which libraries earlier runs have made: beside each is a list of its sources' hashes. */
    private void known() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path list :
                    files.filter(file -> file.toString().endsWith(".list")).toList()) {
                String name = list.getFileName().toString().replace(".list", ".so");
                List<String> sources = Files.readAllLines(list);
                for (int i = 0; i < sources.size(); i++) {
                    compiled.put(sources.get(i), new Place(folder.resolve(name), i));
                }
            }
        }
    }

    /** Compiles those sources that are new, several at a time. */
    public synchronized void prepare(Collection<KernelCode> codes) {
        Map<String, KernelCode> missing = new LinkedHashMap<>();
        for (KernelCode code : codes) {
            String hash = hashes.computeIfAbsent(code, c -> hash(c.text()));
            barriers.put(hash, code.text().contains("__sync") || code.text().contains("_sync("));
            if (!compiled.containsKey(hash)) {
                missing.put(hash, code);
            }
        }
        List<String> all = new ArrayList<>(missing.keySet());
        List<CompletableFuture<Void>> running = new ArrayList<>();
        int batch = Math.clamp((all.size() + 1) / 2, 1, BATCH);
        for (int from = 0; from < all.size(); from += batch) {
            List<String> some = all.subList(from, Math.min(all.size(), from + batch));
            Path library = folder.resolve("kernels-" + hash(String.join("\n", some)) + ".so");
            running.add(CompletableFuture.runAsync(() -> build(some, missing, library)));
            if (running.size() == 2) {
                running.forEach(CompletableFuture::join);
                running.clear();
            }
            for (int i = 0; i < some.size(); i++) {
                compiled.put(some.get(i), new Place(library, i));
            }
        }
        running.forEach(CompletableFuture::join);
    }

    private void build(List<String> hashes, Map<String, KernelCode> codes, Path library) {
        StringBuilder text = new StringBuilder("#include \"emulation.h\"\n");
        for (int i = 0; i < hashes.size(); i++) {
            text.append(translated(codes.get(hashes.get(i)), i));
        }
        try {
            String name = library.getFileName().toString();
            Path source = write(folder.resolve(name.replace(".so", ".cpp")), text);
            // Beside it, wherever the folder may be moved to: two copies of the emulation in a process know nothing of
            // each
            // other.
            compile(OPTIONS, source, library, List.of("-L" + folder, "-Wl,-rpath,$ORIGIN", "-lemulation"));
            write(folder.resolve(name.replace(".so", ".list")), String.join("\n", hashes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The source in a namespace of its own, its shared memory asked for, and a function to call each kernel by. */
    private static String translated(KernelCode code, int number) {
        Matcher kernels = KERNEL.matcher(code.text());
        StringBuilder entries = new StringBuilder();
        while (kernels.find()) {
            entries.append("extern \"C\" void entry" + number + "_" + kernels.group(1)
                    + "(void** values) { emulated_call(source" + number + "::" + kernels.group(1)
                    + ", values); }\nextern \"C\" int sizes" + number + "_" + kernels.group(1)
                    + "(int* sizes) { return emulated_sizes(source" + number + "::" + kernels.group(1)
                    + ", sizes); }\n");
        }
        String text = code.text().replace("extern \"C\" __global__", "__global__");
        text = DYNAMIC.matcher(text).replaceAll("$1* $2 = ($1*) emulated_dynamic_shared();");
        int[] array = {0};
        text = SHARED.matcher(text)
                .replaceAll(found -> "typedef " + found.group(1) + " array_" + found.group(2) + found.group(3)
                        + "; array_" + found.group(2) + "& " + found.group(2) + " = *(array_" + found.group(2)
                        + "*) emulated_shared(" + array[0]++ + ", sizeof(array_" + found.group(2) + "));");
        StringBuilder undefined = new StringBuilder();
        Pattern.compile("(?m)^#define (\\w+)")
                .matcher(text)
                .results()
                .forEach(found -> undefined.append("#undef " + found.group(1) + "\n"));
        return "namespace source" + number + " {\n#line 1 \"" + code.name() + "\"\n" + text + "\n}\n" + entries
                + undefined;
    }

    private void compile(List<String> options, Path source, Path library, List<String> link) throws IOException {
        Path temporary = Files.createTempFile(folder, "new", ".so"), log = Files.createTempFile(folder, "log", ".txt");
        List<String> command = new ArrayList<>(List.of("g++"));
        command.addAll(options);
        command.addAll(List.of("-o", temporary.toString(), source.toString()));
        command.addAll(link);
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            if (process.waitFor() != 0) {
                String said = Files.readString(log);
                throw new AssertionError(
                        "g++ refused " + source + ":\n" + said.substring(0, Math.min(4000, said.length())));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted while compiling " + source, e);
        } finally {
            Files.deleteIfExists(log);
        }
        keep(temporary, library);
    }

    /** A whole file or none: other processes compile into the same folder. */
    private Path write(Path file, CharSequence text) throws IOException {
        if (!Files.exists(file)) {
            keep(Files.writeString(Files.createTempFile(folder, "new", ".txt"), text), file);
        }
        return file;
    }

    /** Gives a file its name, unless another process was first: what that one has loaded must stay what it is. */
    private static void keep(Path temporary, Path file) throws IOException {
        try {
            Files.createLink(file, temporary);
        } catch (FileAlreadyExistsException e) {
            // All that have this name have the same contents.
        } finally {
            Files.delete(temporary);
        }
    }

    /** A kernel of a source, compiled now if {@link #prepare} was not asked to. */
    public synchronized Function function(KernelCode code, String name) {
        prepare(List.of(code));
        String hash = hashes.get(code);
        Place place = compiled.get(hash);
        SymbolLookup symbols =
                libraries.computeIfAbsent(place.library(), library -> SymbolLookup.libraryLookup(library, arena));
        String kernel = place.number() + "_" + name;
        MemorySegment address = symbols.find("entry" + kernel)
                .orElseThrow(() -> new AssertionError(code.name() + " has no kernel named " + name));
        return new Function(
                code.name() + ":" + name,
                address,
                barriers.get(hash),
                parameterBytes(symbols.findOrThrow("sizes" + kernel)));
    }

    private static List<Integer> parameterBytes(MemorySegment sizes) {
        MethodHandle call = Linker.nativeLinker().downcallHandle(FunctionDescriptor.of(JAVA_INT, ADDRESS));
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment bytes = scratch.allocate(JAVA_INT, 1024);
            int count = (int) call.invokeExact(sizes, bytes);
            return IntStream.range(0, count)
                    .mapToObj(i -> bytes.getAtIndex(JAVA_INT, i))
                    .toList();
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Lets kernels access memory. */
    public synchronized void allocated(long address, long bytes) {
        try {
            announce.invokeExact(address, bytes);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    public synchronized void freed(long address) {
        try {
            forget.invokeExact(address);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Runs a kernel.
     *
     * @param arguments for each parameter the address of its value, as the driver wants them
     */
    public synchronized void launch(
            Function function, int[] grid, int[] block, long sharedBytes, Order order, MemorySegment arguments) {
        MemorySegment wrong;
        try {
            wrong = (MemorySegment) launch.invokeExact(
                    function.entry(),
                    grid[0],
                    grid[1],
                    grid[2],
                    block[0],
                    block[1],
                    block[2],
                    sharedBytes,
                    function.barriers() ? 1 : 0,
                    order.ordinal(),
                    arguments);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        if (wrong.address() != 0) {
            throw new AssertionError(
                    "Kernel " + function.name() + ": " + wrong.reinterpret(1024).getString(0));
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
