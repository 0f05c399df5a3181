package io.kingfisher.nativebindings;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** One native library: looks for it where {@link Libraries} says, checks what it finds, and loads it once. */
@SuppressWarnings("restricted")
final class NativeLibrary {
    private final Function<Platform, LibrarySpec> specs;
    private final Function<SymbolLookup, LibraryVersions.Version> versions;
    private volatile Opened opened;

    /** A library that is open until the JVM ends: native code is never unloaded under a running call. */
    private record Opened(LoadedLibrary report, SymbolLookup symbols) {}

    NativeLibrary(Function<Platform, LibrarySpec> specs, Function<SymbolLookup, LibraryVersions.Version> versions) {
        this.specs = specs;
        this.versions = versions;
    }

    LoadedLibrary loaded() {
        var now = opened;
        return now == null ? null : now.report;
    }

    LoadedLibrary load() {
        var now = opened;
        return now == null ? loadOnce().report : now.report;
    }

    Optional<MemorySegment> find(String symbol) {
        var now = opened;
        var library = now == null ? loadOnce() : now;
        var found = library.symbols.find(symbol);
        if (found.isEmpty()) {
            throw new NativeLibraryException(library.report + " has no function " + symbol
                    + "; use a complete build, such as the jar that Kingfisher depends on");
        }
        return found;
    }

    private synchronized Opened loadOnce() {
        if (opened == null) {
            Libraries.requireNativeAccess();
            var platform = Platform.current();
            opened = search(platform, specs.apply(platform));
        }
        return opened;
    }

    private Opened search(Platform platform, LibrarySpec spec) {
        var named = System.getProperty(spec.property());
        if (named != null) {
            return named(platform, spec, "the system property " + spec.property(), named);
        }
        named = System.getenv(spec.variable());
        if (named != null && !named.isBlank()) {
            return named(platform, spec, "the environment variable " + spec.variable(), named);
        }
        var rejected = new ArrayList<String>();
        var carrier = Carriers.find(spec.folder() + spec.file());
        if (carrier.isPresent()) {
            var origin = Carriers.describe(carrier.get());
            try {
                var unpacked = LibraryCache.unpack(resources(spec, carrier.get()), rejected);
                return open(platform, spec, unpacked.resolve(spec.file()), origin, rejected);
            } catch (IOException e) {
                rejected.add(origin + ": cannot be unpacked into " + LibraryCache.root() + " (" + e
                        + "), set the system property kingfisher.cache to a folder that can be written");
            } catch (NativeLibraryException e) {
                rejected.add(origin + ": " + e.getMessage());
            }
        } else {
            rejected.add("no jar on the class path or module path holds " + spec.folder() + spec.file());
        }
        var image = Path.of(System.getProperty("java.home"), "lib", spec.file());
        if (Files.exists(image)) {
            try {
                return open(platform, spec, image, "the Java runtime's lib folder", rejected);
            } catch (NativeLibraryException e) {
                rejected.add(image + ": " + e.getMessage());
            }
        }
        try {
            return open(platform, spec, Path.of(spec.file()), "the system's search path", rejected);
        } catch (NativeLibraryException e) {
            rejected.add(spec.file() + " on the system's search path: " + e.getMessage());
        }
        throw new NativeLibraryException(
                "Kingfisher found no usable " + spec.product() + " (" + String.join("; ", rejected)
                        + "): " + spec.advice() + ", or name the file " + spec.file() + " in the system property "
                        + spec.property() + " or the environment variable " + spec.variable());
    }

    private Opened named(Platform platform, LibrarySpec spec, String origin, String value) {
        try {
            var path = Path.of(value).toAbsolutePath();
            return open(platform, spec, Files.isDirectory(path) ? path.resolve(spec.file()) : path, origin, List.of());
        } catch (NativeLibraryException | InvalidPathException e) {
            throw new NativeLibraryException(
                    origin + " names " + value + ", which cannot be used as " + spec.product() + ": " + e.getMessage()
                            + "; correct it, or remove it to use the library that comes with Kingfisher",
                    e);
        }
    }

    /** The library and those of its dependencies that lie beside it in the same jar. */
    private static Map<String, URL> resources(LibrarySpec spec, URL carrier) {
        var resources = new LinkedHashMap<String, URL>();
        for (var dependency : spec.dependencies()) {
            Carriers.sibling(carrier, spec.file(), dependency).ifPresent(url -> resources.put(dependency, url));
        }
        resources.put(spec.file(), carrier);
        return resources;
    }

    private Opened open(Platform platform, LibrarySpec spec, Path path, String origin, List<String> rejected) {
        var folder = path.getParent();
        if (folder != null) {
            LibraryFile.check(path, platform);
            for (var dependency : spec.dependencies()) {
                loadDependency(
                        platform,
                        folder.resolve(dependency),
                        spec.systemDependencies().contains(dependency));
            }
        }
        var symbols = lookup(path, folder != null);
        var symbol = symbols.find(spec.symbol())
                .orElseThrow(() -> new NativeLibraryException("it has no function " + spec.symbol()
                        + ", so it is too old or not a complete " + spec.product()));
        var version = versions.apply(symbols);
        if (!version.fits(spec.minimum())) {
            throw new NativeLibraryException("its version is " + version + ", and Kingfisher needs " + spec.product()
                    + " " + spec.minimumText() + " or newer of the same major version");
        }
        var dependencies = new ArrayList<Path>();
        symbols.find("omp_get_max_threads").flatMap(LibraryFile::of).ifPresent(dependencies::add);
        if (folder != null) {
            spec.dependencies().stream()
                    .map(folder::resolve)
                    .filter(LibraryFile::isMapped)
                    .filter(file -> !dependencies.contains(file))
                    .forEach(dependencies::add);
        }
        var report = new LoadedLibrary(
                spec.name(),
                version.toString(),
                version.details(),
                LibraryFile.of(symbol).orElse(path),
                origin,
                dependencies,
                rejected);
        return new Opened(report, symbols);
    }

    /** Loads a dependency first, so that the library finds it by its name wherever the library lies. */
    private static void loadDependency(Platform platform, Path file, boolean preferSystem) {
        if (preferSystem) {
            try {
                SymbolLookup.libraryLookup(file.getFileName().toString(), Arena.global());
                return;
            } catch (IllegalArgumentException e) {
                // The system has none: the copy beside the library serves.
            }
        }
        if (Files.exists(file)) {
            LibraryFile.check(file, platform);
            lookup(file, true);
        }
    }

    private static SymbolLookup lookup(Path path, boolean isFile) {
        try {
            return isFile
                    ? SymbolLookup.libraryLookup(path, Arena.global())
                    : SymbolLookup.libraryLookup(path.toString(), Arena.global());
        } catch (IllegalArgumentException e) {
            throw new NativeLibraryException(isFile ? LibraryFile.whyNot(path) : "there is none", e);
        }
    }
}
