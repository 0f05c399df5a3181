package io.kingfisher.nativebindings;

import java.io.IOException;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What a generated package says of its library, read from its source: asking its classes would load the library.
 *
 * @param functions by name, the kinds of the result and of the parameters, a letter each, see {@link #kind}
 * @param constants by name, their values
 * @param structs by name, their layouts
 */
record GeneratedBinding(Map<String, String> functions, Map<String, Long> constants, Map<String, GroupLayout> structs) {
    private static final Pattern FUNCTION =
            Pattern.compile("private static class (\\w+) \\{\\s+public static final FunctionDescriptor DESC ="
                    + " FunctionDescriptor\\.(of|ofVoid)\\(([^;]*?)\\s*\\);");
    private static final Pattern CONSTANT =
            Pattern.compile("private static final (?:int|long) (\\w+) = \\((?:int|long)\\)(-?\\d+)L;");

    static GeneratedBinding of(String name) throws IOException, ReflectiveOperationException {
        var functions = new TreeMap<String, String>();
        var constants = new TreeMap<String, Long>();
        var structs = new TreeMap<String, GroupLayout>();
        for (var file : files(name)) {
            var type = file.getFileName().toString().replace(".java", "");
            var source = Files.readString(file);
            if (type.startsWith(name + "_h")) {
                var function = FUNCTION.matcher(source);
                while (function.find()) {
                    var kinds = function.group(3).isBlank()
                            ? ""
                            : List.of(function.group(3).split(",")).stream()
                                    .map(layout -> kind(layout.strip()))
                                    .collect(Collectors.joining());
                    functions.put(function.group(1), (function.group(2).equals("of") ? "" : "V") + kinds);
                }
                var constant = CONSTANT.matcher(source);
                while (constant.find()) {
                    constants.put(constant.group(1), Long.parseLong(constant.group(2)));
                }
            } else {
                var layout = Class.forName(GeneratedBinding.class.getPackageName() + "." + name + ".generated." + type)
                        .getMethod("layout")
                        .invoke(null);
                structs.put(type, (GroupLayout) layout);
            }
        }
        return new GeneratedBinding(functions, constants, structs);
    }

    private static List<Path> files(String name) throws IOException {
        var folder = Path.of("src/main/java/io/kingfisher/nativebindings", name, "generated");
        try (var files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    /** A letter for what C passes: a pointer, a struct by value, a number of a kind and width. */
    private static String kind(String layout) {
        var name = layout.substring(layout.lastIndexOf('.') + 1);
        return switch (name) {
            case "C_POINTER" -> "P";
            case "C_INT" -> "I";
            case "C_LONG", "C_LONG_LONG" -> "J";
            case "C_SHORT" -> "S";
            case "C_CHAR" -> "B";
            case "C_FLOAT" -> "F";
            case "C_DOUBLE" -> "D";
            case "layout()" -> "A";
            default -> throw new AssertionError("an unknown layout " + layout);
        };
    }

    /** A member of a struct and where it lies. */
    record Member(String name, long offset) {}

    static List<Member> members(GroupLayout layout) {
        var members = new ArrayList<Member>();
        for (MemoryLayout member : layout.memberLayouts()) {
            member.name()
                    .ifPresent(
                            name -> members.add(new Member(name, layout.byteOffset(PathElement.groupElement(name)))));
        }
        return members;
    }
}
