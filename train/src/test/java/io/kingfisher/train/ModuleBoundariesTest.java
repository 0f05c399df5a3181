package io.kingfisher.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.constantpool.MemberRefEntry;
import java.lang.module.ModuleDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the compiled modules may know of each other, read from their class files. */
class ModuleBoundariesTest {
    /** From the bottom up: each may require those before it. */
    private static final List<String> ORDER =
            List.of("native-bindings", "runtime", "layers", "optimizers", "train", "bench");

    /** The methods that need native access: {@code --enable-native-access} names one module only. */
    private static final Set<String> RESTRICTED = Set.of(
            "java/lang/System.load",
            "java/lang/System.loadLibrary",
            "java/lang/Runtime.load",
            "java/lang/Runtime.loadLibrary",
            "java/lang/foreign/SymbolLookup.libraryLookup",
            "java/lang/foreign/Linker.downcallHandle",
            "java/lang/foreign/Linker.upcallStub",
            "java/lang/foreign/MemorySegment.reinterpret",
            "java/lang/foreign/AddressLayout.withTargetLayout");

    @ParameterizedTest
    @ValueSource(strings = {"native-bindings", "runtime", "layers", "optimizers", "train"})
    void requiresOnlyModulesBelowItself(String module) throws IOException {
        var allowed = new TreeSet<String>();
        ORDER.subList(0, ORDER.indexOf(module)).forEach(below -> allowed.add(moduleName(below)));
        var required = new TreeSet<String>();
        for (var requires : descriptor(module).requires()) {
            if (requires.name().startsWith("io.kingfisher.")) {
                required.add(requires.name());
            }
        }
        assertTrue(allowed.containsAll(required), () -> module + " requires " + required);
    }

    @ParameterizedTest
    @ValueSource(strings = {"native-bindings", "runtime", "layers", "optimizers", "train"})
    void packagesLieUnderTheModulesName(String module) throws IOException {
        var name = moduleName(module);
        try (var files = Files.walk(classes(module))) {
            var strays = files.filter(file -> file.toString().endsWith(".class"))
                    .filter(file -> !file.endsWith("module-info.class"))
                    .map(file -> classes(module)
                            .relativize(file.getParent())
                            .toString()
                            .replace('/', '.'))
                    .filter(pack -> !(pack + ".").startsWith(name + "."))
                    .distinct()
                    .toList();
            assertEquals(List.of(), strays);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"runtime", "layers", "optimizers", "train"})
    void restrictedMethodsAreCalledInTheBindingsOnly(String module) throws IOException {
        var calls = new ArrayList<String>();
        try (var files = Files.walk(classes(module))) {
            for (var file : files.filter(f -> f.toString().endsWith(".class")).toList()) {
                for (var entry : ClassFile.of().parse(file).constantPool()) {
                    if (entry instanceof MemberRefEntry member) {
                        var method = member.owner().asInternalName() + "."
                                + member.name().stringValue();
                        if (RESTRICTED.contains(method)) {
                            calls.add(file.getFileName() + " calls " + method);
                        }
                    }
                }
            }
        }
        assertEquals(List.of(), calls);
    }

    private static ModuleDescriptor descriptor(String module) throws IOException {
        try (var in = Files.newInputStream(classes(module).resolve("module-info.class"))) {
            return ModuleDescriptor.read(in);
        }
    }

    private static Path classes(String module) {
        return Path.of("..", module, "target", "classes");
    }

    private static String moduleName(String module) {
        return "io.kingfisher." + module.replace("-", "");
    }
}
