package io.kingfisher.nativebindings;

import java.io.File;
import java.io.IOException;
import java.net.JarURLConnection;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/** Finds the jars that carry native libraries, on the class path and on the module path. */
final class Carriers {
    private Carriers() {}

    static Optional<URL> find(String resource) {
        for (var loader : new ClassLoader[] {
            Carriers.class.getClassLoader(), Thread.currentThread().getContextClassLoader()
        }) {
            var url = loader == null ? null : loader.getResource(resource);
            if (url != null) {
                return Optional.of(url);
            }
        }
        // On the module path no module requires these jars, so they are not resolved and no class loader knows them.
        return jars().filter(jar -> holds(jar, resource)).findFirst().map(jar -> url(jar, resource));
    }

    /** Returns the resource beside another in the same jar or folder, if it is there. */
    static Optional<URL> sibling(URL resource, String name, String siblingName) {
        var text = resource.toString();
        var sibling = text.substring(0, text.length() - name.length()) + siblingName;
        try {
            var url = URI.create(sibling).toURL();
            var connection = url.openConnection();
            connection.setUseCaches(false);
            connection.getInputStream().close();
            return Optional.of(url);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Returns the resources beside another, in the same jar or folder, whose names begin in the given way. */
    static Map<String, URL> siblings(URL resource, String name, String beginning) throws IOException {
        var names = new TreeSet<String>();
        var connection = resource.openConnection();
        connection.setUseCaches(false);
        if (connection instanceof JarURLConnection jar) {
            var entry = jar.getEntryName();
            var folder = entry.substring(0, entry.length() - name.length());
            try (var file = jar.getJarFile()) {
                file.stream()
                        .map(JarEntry::getName)
                        .filter(other -> other.startsWith(folder + beginning))
                        .forEach(other -> names.add(other.substring(folder.length())));
            }
        } else {
            try (var files = Files.list(Path.of(URI.create(resource.toString())).getParent())) {
                files.map(file -> file.getFileName().toString())
                        .filter(other -> other.startsWith(beginning))
                        .forEach(names::add);
            }
        }
        var siblings = new LinkedHashMap<String, URL>();
        for (var other : names) {
            sibling(resource, name, other).ifPresent(url -> siblings.put(other, url));
        }
        return siblings;
    }

    /** Names the jar, or what else holds the resource, for people. */
    static String describe(URL resource) {
        var text = resource.toString();
        int entry = text.lastIndexOf("!/");
        return text.startsWith("jar:file:") && entry > 0
                ? "the jar " + Path.of(URI.create(text.substring("jar:".length(), entry)))
                : text;
    }

    private static Stream<Path> jars() {
        List<Path> jars = new ArrayList<>();
        for (var property : List.of("jdk.module.path", "java.class.path")) {
            for (var element : System.getProperty(property, "").split(File.pathSeparator)) {
                var path = Path.of(element);
                if (element.endsWith(".jar")) {
                    jars.add(path);
                } else if (property.equals("jdk.module.path") && Files.isDirectory(path)) {
                    try (var files = Files.list(path)) {
                        files.filter(file -> file.toString().endsWith(".jar"))
                                .sorted()
                                .forEach(jars::add);
                    } catch (IOException e) {
                        // A folder of the module path that cannot be listed holds no jar for us.
                    }
                }
            }
        }
        return jars.stream();
    }

    private static boolean holds(Path jar, String resource) {
        if (!Files.isRegularFile(jar)) {
            return false;
        }
        try (var file = new JarFile(jar.toFile())) {
            return file.getEntry(resource) != null;
        } catch (IOException e) {
            return false;
        }
    }

    private static URL url(Path jar, String resource) {
        try {
            return URI.create("jar:" + jar.toUri() + "!/" + resource).toURL();
        } catch (MalformedURLException e) {
            throw new AssertionError("jar URLs are part of every Java runtime", e);
        }
    }
}
