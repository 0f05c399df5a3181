package io.kingfisher.nativebindings;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** The folders in which NVIDIA's libraries are looked for, in order. */
final class CudaPlaces {
    private static final Comparator<Path> NEWEST_FIRST = Comparator.comparing(
                    (Path path) -> path.getFileName().toString(), CudaPlaces::compareVersions)
            .reversed();

    private CudaPlaces() {}

    /**
     * What decides where is looked.
     *
     * @param properties the JVM's system properties, by name
     * @param variables the environment's variables
     * @param local where toolkits are installed: {@code /usr/local}
     * @param system whether the system's search path is searched, too; it knows what tests have loaded before
     */
    record Environment(UnaryOperator<String> properties, Map<String, String> variables, Path local, boolean system) {
        static Environment current() {
            return new Environment(System::getProperty, System.getenv(), Path.of("/usr/local"), true);
        }

        /** A property's value, or null where it has none. */
        String property(String name) {
            return properties.apply(name);
        }

        /** A variable's value, or null where it has none or a blank one. */
        String variable(String name) {
            var value = variables.get(name);
            return value == null || value.isBlank() ? null : value;
        }
    }

    /**
     * Folders that belong together.
     *
     * @param origin what they are, for people
     * @param folders those that exist
     */
    record Place(String origin, List<Path> folders) {}

    static List<Place> of(Environment environment) {
        // By folder, so that one reached in two ways is looked at once.
        var places = new LinkedHashMap<Path, Place>();
        var wheels = environment.property("kingfisher.wheels");
        if (wheels != null) {
            site(places, "the system property kingfisher.wheels", wheels);
        } else if (environment.variable("KINGFISHER_WHEELS") != null) {
            site(places, "the environment variable KINGFISHER_WHEELS", environment.variable("KINGFISHER_WHEELS"));
        }
        for (var variable : List.of("CUDA_HOME", "CUDA_PATH")) {
            var value = environment.variable(variable);
            if (value != null) {
                toolkit(places, "the environment variable " + variable, value);
            }
        }
        var toolkits = new ArrayList<>(list(environment.local(), "cuda*"));
        toolkits.sort(NEWEST_FIRST);
        // The link that the administrator set goes first.
        toolkits.sort(Comparator.comparing(toolkit -> !toolkit.endsWith("cuda")));
        for (var toolkit : toolkits) {
            toolkit(places, "the toolkit", toolkit.toString());
        }
        for (var variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
            var value = environment.variable(variable);
            if (value != null) {
                python(places, "the environment variable " + variable, value);
            }
        }
        return List.copyOf(places.values());
    }

    /** Those that take asking Python, which is not done where a library lies in the others. */
    static List<Place> ofPython(Environment environment) {
        var places = new LinkedHashMap<Path, Place>();
        for (var site : PythonSites.ask(environment.variable("PATH"))) {
            site(places, "python3 on the PATH", site);
        }
        return List.copyOf(places.values());
    }

    /** The folders of a toolkit, or of anything else that a user named, that may hold libraries. */
    static List<Path> libraryFolders(Path folder) {
        return existing(List.of(
                folder.resolve("lib64"),
                folder.resolve("lib"),
                folder.resolve("targets/x86_64-linux/lib"),
                folder.resolve("targets/sbsa-linux/lib"),
                folder));
    }

    private static void toolkit(Map<Path, Place> places, String origin, String value) {
        add(places, origin, value, CudaPlaces::libraryFolders);
    }

    /** A Python environment: its wheels, and its own libraries, where conda puts CUDA's. */
    private static void python(Map<Path, Place> places, String origin, String value) {
        add(places, origin, value, prefix -> {
            var folders = new ArrayList<Path>();
            for (var python : list(prefix.resolve("lib"), "python3*")) {
                folders.addAll(wheels(python.resolve("site-packages")));
            }
            folders.addAll(existing(List.of(prefix.resolve("lib"))));
            return folders;
        });
    }

    private static void site(Map<Path, Place> places, String origin, String value) {
        add(places, origin, value, CudaPlaces::wheels);
    }

    /** {@code nvidia/cublas/lib} and its like, or since CUDA 13 {@code nvidia/cu13/lib}, which goes first. */
    private static List<Path> wheels(Path site) {
        var wheels = new ArrayList<>(list(site.resolve("nvidia"), "*"));
        wheels.sort(Comparator.comparing(
                        (Path wheel) -> !wheel.getFileName().toString().startsWith("cu1"))
                .thenComparing(NEWEST_FIRST));
        return existing(wheels.stream().map(wheel -> wheel.resolve("lib")).toList());
    }

    private interface Inside {
        List<Path> of(Path folder);
    }

    private static void add(Map<Path, Place> places, String origin, String value, Inside inside) {
        try {
            var folder = Path.of(value).toAbsolutePath();
            var key = Files.exists(folder) ? folder.toRealPath() : folder;
            places.putIfAbsent(key, new Place(origin + " (" + folder + ")", inside.of(folder)));
        } catch (InvalidPathException | IOException e) {
            places.putIfAbsent(Path.of(origin), new Place(origin + " (" + value + ")", List.of()));
        }
    }

    /** What a folder holds that matches, in the order of the names; nothing where it is no folder. */
    static List<Path> list(Path folder, String glob) {
        var paths = new ArrayList<Path>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder, glob)) {
            stream.forEach(paths::add);
        } catch (IOException e) {
            // What cannot be listed holds nothing for us.
        }
        paths.sort(Comparator.naturalOrder());
        return paths;
    }

    private static List<Path> existing(Collection<Path> folders) {
        return folders.stream().filter(Files::isDirectory).toList();
    }

    /** Compares names that end in versions: cuda-12.10 comes after cuda-12.9. */
    static int compareVersions(String a, String b) {
        var left = a.split("(?<=\\D)(?=\\d)|(?<=\\d)(?=\\D)");
        var right = b.split("(?<=\\D)(?=\\d)|(?<=\\d)(?=\\D)");
        for (int i = 0; i < Math.min(left.length, right.length); i++) {
            boolean numbers = Character.isDigit(left[i].charAt(0)) && Character.isDigit(right[i].charAt(0));
            int difference = numbers
                    ? new java.math.BigInteger(left[i]).compareTo(new java.math.BigInteger(right[i]))
                    : left[i].compareTo(right[i]);
            if (difference != 0) {
                return difference;
            }
        }
        return Integer.compare(left.length, right.length);
    }
}
