package io.kingfisher.nativebindings;

import io.kingfisher.nativebindings.CudaLibrary.Soname;
import io.kingfisher.nativebindings.CudaPlaces.Environment;
import io.kingfisher.nativebindings.CudaPlaces.Place;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Looks for NVIDIA's libraries where {@link CudaLibrary} says, checks what it finds, and loads each once. */
@SuppressWarnings("restricted")
final class CudaSearch {
    private final Environment environment;
    private final Map<CudaLibrary, Opened> opened = new EnumMap<>(CudaLibrary.class);
    private List<Place> places;
    private List<Place> pythonPlaces;

    /** A library that is open until the JVM ends: native code is never unloaded under a running call. */
    record Opened(LoadedLibrary report, SymbolLookup symbols) {}

    private static final String NOT_ON_PATH = "it is not on the system's search path";

    /** A file to try, or a name on the system's search path. */
    private record Candidate(Path file, Soname soname, String origin, List<Path> beside) {}

    CudaSearch(Environment environment) {
        this.environment = environment;
    }

    synchronized Opened open(CudaLibrary library) {
        var found = opened.get(library);
        if (found == null) {
            found = search(library, new ArrayList<>());
            opened.put(library, found);
        }
        return found;
    }

    synchronized LibraryReport report(CudaLibrary library) {
        var rejected = new ArrayList<String>();
        var found = opened.get(library);
        if (found == null) {
            try {
                found = search(library, rejected);
                opened.put(library, found);
            } catch (NativeLibraryException e) {
                if (rejected.isEmpty()) {
                    rejected.add(e.getMessage());
                }
                return new LibraryReport(library.id(), library.product(), Optional.empty(), rejected, library.advice());
            }
        }
        return new LibraryReport(
                library.id(),
                library.product(),
                Optional.of(found.report()),
                found.report().rejected(),
                library.advice());
    }

    /** Whether there is something of a driver, usable or not: its library, a name for it, or its part of the kernel. */
    synchronized boolean hasDriver() {
        var driver = CudaLibrary.CUDA;
        if (environment.property(driver.property()) != null || environment.variable(driver.variable()) != null) {
            return true;
        }
        var platform = Platform.current();
        if (platform != Platform.LINUX_X86_64 && platform != Platform.LINUX_ARM64) {
            return false;
        }
        var rejected = new ArrayList<String>();
        try {
            if (!opened.containsKey(driver)) {
                opened.put(driver, search(driver, rejected));
            }
            return true;
        } catch (NativeLibraryException e) {
            return rejected.stream().anyMatch(reason -> !reason.endsWith(NOT_ON_PATH))
                    || (environment.system() && Files.exists(Path.of("/proc/driver/nvidia/version")));
        }
    }

    synchronized List<LoadedLibrary> loaded() {
        return opened.values().stream().map(Opened::report).toList();
    }

    private Opened search(CudaLibrary library, List<String> rejected) {
        Libraries.requireNativeAccess();
        var platform = Platform.current();
        if (platform != Platform.LINUX_X86_64 && platform != Platform.LINUX_ARM64) {
            throw new NativeLibraryException("Kingfisher calls CUDA on Linux only, and this is " + platform.id);
        }
        var named = environment.property(library.property());
        if (named != null) {
            return named(library, "the system property " + library.property(), named);
        }
        named = environment.variable(library.variable());
        if (named != null) {
            return named(library, "the environment variable " + library.variable(), named);
        }
        if (library != CudaLibrary.CUDA) {
            var stages = new ArrayList<Supplier<List<Place>>>(List.of(this::places));
            if (isWorthAskingPython(library)) {
                stages.add(this::pythonPlaces);
            }
            for (var stage : stages) {
                for (var place : stage.get()) {
                    var tried = attempt(library, place, rejected);
                    if (tried != null) {
                        return tried;
                    }
                }
            }
        }
        for (var soname : environment.system() ? library.sonames() : List.<Soname>of()) {
            var origin = "the system's search path";
            var tried = attempt(library, new Candidate(Path.of(soname.file()), soname, origin, List.of()), rejected);
            if (tried != null) {
                return tried;
            }
        }
        if (library == CudaLibrary.NVRTC) {
            var tried = jar(library, platform, rejected);
            if (tried != null) {
                return tried;
            }
        }
        throw new NativeLibraryException(failure(library, rejected));
    }

    private static String failure(CudaLibrary library, List<String> rejected) {
        // The driver is looked for in one place only: there is no more to say than that it is not there.
        boolean absent = rejected.isEmpty() || rejected.getFirst().endsWith(NOT_ON_PATH);
        var found = library == CudaLibrary.CUDA && rejected.size() <= 1
                ? (absent ? "no NVIDIA driver: " : "no usable NVIDIA driver: ")
                        + (rejected.isEmpty() ? names(library) + ": there is none" : rejected.getFirst())
                : "no usable " + library.product() + " (" + String.join("; ", rejected) + ")";
        return found + "; " + library.advice() + ", or name its file or folder in the system property "
                + library.property() + " or the environment variable " + library.variable();
    }

    private List<Place> places() {
        if (places == null) {
            places = CudaPlaces.of(environment);
        }
        return places;
    }

    /** Ranges are seen by profilers only, which set this variable: no program needs to wait for Python for their sake. */
    private boolean isWorthAskingPython(CudaLibrary library) {
        return library != CudaLibrary.NVTX || environment.variable("NVTX_INJECTION64_PATH") != null;
    }

    private List<Place> pythonPlaces() {
        if (pythonPlaces == null) {
            pythonPlaces = CudaPlaces.ofPython(environment);
        }
        return pythonPlaces;
    }

    private static String names(CudaLibrary library) {
        return String.join(" or ", library.sonames().stream().map(Soname::file).toList());
    }

    private static List<Candidate> candidates(CudaLibrary library, Place place) {
        var candidates = new ArrayList<Candidate>();
        for (var soname : library.sonames()) {
            for (var folder : place.folders()) {
                var file = folder.resolve(soname.file());
                if (Files.exists(file)) {
                    candidates.add(new Candidate(file, soname, place.origin(), place.folders()));
                }
            }
        }
        return candidates;
    }

    private Opened named(CudaLibrary library, String origin, String value) {
        try {
            var path = Path.of(value).toAbsolutePath();
            var folders = Files.isDirectory(path) ? CudaPlaces.libraryFolders(path) : List.<Path>of();
            var candidates = Files.isDirectory(path)
                    ? candidates(library, new Place(origin, folders))
                    : List.of(new Candidate(path, soname(library, path), origin, List.of()));
            if (candidates.isEmpty()) {
                throw new NativeLibraryException("it has no " + names(library));
            }
            return open(library, candidates.getFirst(), List.of());
        } catch (NativeLibraryException | InvalidPathException e) {
            throw new NativeLibraryException(
                    origin + " names " + value + ", which cannot be used as " + library.product() + ": "
                            + e.getMessage() + "; correct it, or remove it to look elsewhere",
                    e);
        }
    }

    /** Which of a library's versions a file is, by its name; a name that tells nothing is of any. */
    private static Soname soname(CudaLibrary library, Path file) {
        return library.sonames().stream()
                .filter(soname -> file.getFileName().toString().startsWith(soname.file()))
                .findFirst()
                .orElse(new Soname(file.getFileName().toString(), 0));
    }

    private Opened attempt(CudaLibrary library, Place place, List<String> rejected) {
        var candidates = candidates(library, place);
        if (candidates.isEmpty()) {
            rejected.add(place.origin() + ": it has no " + names(library));
        }
        for (var candidate : candidates) {
            var tried = attempt(library, candidate, rejected);
            if (tried != null) {
                return tried;
            }
        }
        return null;
    }

    private Opened attempt(CudaLibrary library, Candidate candidate, List<String> rejected) {
        try {
            return open(library, candidate, rejected);
        } catch (NativeLibraryException e) {
            rejected.add(candidate.file() + ": " + e.getMessage());
            return null;
        }
    }

    private Opened jar(CudaLibrary library, Platform platform, List<String> rejected) {
        var folder = "org/bytedeco/cuda/" + platform.id + "/";
        for (var soname : library.sonames()) {
            var carrier = Carriers.find(folder + soname.file());
            if (carrier.isEmpty()) {
                continue;
            }
            var origin = Carriers.describe(carrier.get());
            try {
                var resources = new LinkedHashMap<String, URL>();
                for (var companion : library.companions(soname)) {
                    resources.putAll(Carriers.siblings(carrier.get(), soname.file(), companion));
                }
                resources.put(soname.file(), carrier.get());
                var unpacked = LibraryCache.unpack(resources, rejected);
                var file = unpacked.resolve(soname.file());
                return open(library, new Candidate(file, soname, origin, List.of()), rejected);
            } catch (IOException e) {
                rejected.add(origin + ": it cannot be unpacked into " + LibraryCache.root() + " (" + e
                        + "), set the system property kingfisher.cache to a folder that can be written");
            } catch (NativeLibraryException e) {
                rejected.add(origin + ": " + e.getMessage());
            }
        }
        rejected.add("the class path and the module path: no jar there holds " + folder + names(library));
        return null;
    }

    private Opened open(CudaLibrary library, Candidate candidate, List<String> rejected) {
        boolean isFile = candidate.file().getParent() != null;
        if (isFile) {
            LibraryFile.check(candidate.file(), Platform.current());
        }
        checkDriver(candidate.soname());
        var dependencies = new ArrayList<Path>();
        for (var before : library.before()) {
            openIfAny(before).ifPresent(dependencies::add);
        }
        for (var companion : library.companions(candidate.soname())) {
            loadCompanion(candidate, companion).ifPresent(dependencies::add);
        }
        var symbols = lookup(candidate.file(), isFile);
        var symbol = symbols.find(library.symbol())
                .orElseThrow(() -> new NativeLibraryException("it has no function " + library.symbol()
                        + ", so it is too old or not a complete " + library.product()));
        var version = CudaVersions.of(library, symbols);
        checkVersion(library, version);
        var report = new LoadedLibrary(
                library.id(),
                version.toString(),
                version.details(),
                LibraryFile.of(symbol).orElse(candidate.file()),
                candidate.origin(),
                dependencies,
                rejected);
        return new Opened(report, symbols);
    }

    private static void checkVersion(CudaLibrary library, LibraryVersions.Version version) {
        if (!isAtLeast(version, library.minimum())) {
            throw new NativeLibraryException("its version is " + version + ", and Kingfisher needs " + library.product()
                    + " "
                    + String.join(
                            ".", library.minimum().stream().map(String::valueOf).toList())
                    + " or newer");
        }
    }

    /** Refuses what a driver says of itself as if it had been found. */
    static void checkDriver(int version) {
        try {
            checkVersion(CudaLibrary.CUDA, CudaVersions.driver(version));
        } catch (NativeLibraryException e) {
            throw new NativeLibraryException(
                    failure(CudaLibrary.CUDA, List.of(names(CudaLibrary.CUDA) + ": " + e.getMessage())));
        }
    }

    /** A driver runs programs of its own CUDA's major version and of earlier ones. */
    private void checkDriver(Soname soname) {
        if (soname.cuda() == 0) {
            return;
        }
        Opened driver;
        try {
            driver = open(CudaLibrary.CUDA);
        } catch (NativeLibraryException e) {
            // Without a driver nothing runs, but NVRTC compiles, and what is there can be reported.
            return;
        }
        var version = driver.report().version();
        if (Integer.parseInt(version.substring(0, version.indexOf('.'))) < soname.cuda()) {
            throw new NativeLibraryException("it is of CUDA " + soname.cuda() + ", and the driver supports CUDA "
                    + version + "; update the driver, or install libraries of its version");
        }
    }

    private Optional<Path> openIfAny(CudaLibrary library) {
        try {
            return Optional.of(open(library).report().path());
        } catch (NativeLibraryException e) {
            // Where the library needs it, loading the library fails and says so.
            return Optional.empty();
        }
    }

    /** Loads a file from beside the library, or from a wheel beside its wheel, so that it is found by its name. */
    private static Optional<Path> loadCompanion(Candidate candidate, String beginning) {
        var folders = new ArrayList<Path>();
        if (candidate.file().getParent() != null) {
            folders.add(candidate.file().getParent());
        }
        folders.addAll(candidate.beside());
        for (var folder : folders) {
            for (var file : CudaPlaces.list(folder, beginning + "*")) {
                LibraryFile.check(file, Platform.current());
                lookup(file, true);
                return Optional.of(file);
            }
        }
        return Optional.empty();
    }

    private static boolean isAtLeast(LibraryVersions.Version version, List<Integer> minimum) {
        for (int i = 0; i < minimum.size(); i++) {
            int difference = (i < version.numbers().size() ? version.numbers().get(i) : 0) - minimum.get(i);
            if (difference != 0) {
                return difference > 0;
            }
        }
        return true;
    }

    private static SymbolLookup lookup(Path path, boolean isFile) {
        try {
            return isFile
                    ? SymbolLookup.libraryLookup(path, Arena.global())
                    : SymbolLookup.libraryLookup(path.toString(), Arena.global());
        } catch (IllegalArgumentException e) {
            throw new NativeLibraryException(isFile ? LibraryFile.whyNot(path) : NOT_ON_PATH, e);
        }
    }
}
