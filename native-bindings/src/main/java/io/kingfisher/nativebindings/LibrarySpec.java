package io.kingfisher.nativebindings;

import java.util.List;

/**
 * What is known beforehand of a native library.
 *
 * @param name Kingfisher's name for it, used in the property {@code kingfisher.NAME.path}
 * @param product what its makers call it
 * @param file the library's file in the jar, and its name on the system's search path
 * @param dependencies files in the same folder of the jar that it needs, in the order to load them
 * @param systemDependencies of these, those that the system's own copy is preferred for
 * @param folder the jar's folder that holds them
 * @param symbol a function that only a complete build has
 * @param minimum the lowest version that the bindings fit, major first
 * @param advice what a user should do who has none
 */
record LibrarySpec(
        String name,
        String product,
        String file,
        List<String> dependencies,
        List<String> systemDependencies,
        String folder,
        String symbol,
        List<Integer> minimum,
        String advice) {

    static LibrarySpec dnnl(Platform platform) {
        return new LibrarySpec(
                "dnnl",
                "oneDNN",
                switch (platform) {
                    case LINUX_X86_64, LINUX_ARM64 -> "libdnnl.so.3";
                    case MACOSX_ARM64 -> "libdnnl.3.dylib";
                    case WINDOWS_X86_64 -> "dnnl.dll";
                },
                switch (platform) {
                    case LINUX_X86_64, LINUX_ARM64 -> List.of("libgomp.so.1");
                    case MACOSX_ARM64 -> List.of("libiomp5.dylib", "libomp.dylib");
                    case WINDOWS_X86_64 -> List.of();
                },
                List.of(),
                "org/bytedeco/dnnl/" + platform.id + "/",
                "dnnl_primitive_attr_set_fpmath_mode_v2",
                List.of(3, 5),
                "add the jar org.bytedeco:dnnl with classifier " + platform.id + " to the class path");
    }

    static LibrarySpec openblas(Platform platform) {
        return new LibrarySpec(
                "openblas",
                "OpenBLAS",
                switch (platform) {
                    case LINUX_X86_64, LINUX_ARM64 -> "libopenblas.so.0";
                    case MACOSX_ARM64 -> "libopenblas.0.dylib";
                    case WINDOWS_X86_64 -> "libopenblas.dll";
                },
                switch (platform) {
                    case LINUX_X86_64 -> List.of("libgcc_s.so.1", "libquadmath.so.0", "libgfortran.so.5");
                    case LINUX_ARM64 -> List.of("libgcc_s.so.1", "libgfortran.so.5");
                    case MACOSX_ARM64 -> List.of("libgcc_s.1.1.dylib", "libquadmath.0.dylib", "libgfortran.5.dylib");
                    case WINDOWS_X86_64 -> List.of("libgcc_s_seh-1.dll", "libquadmath-0.dll", "libgfortran-5.dll");
                },
                // The system's libgcc_s serves its libstdc++ too, and an older one loaded first would starve it.
                List.of("libgcc_s.so.1"),
                "org/bytedeco/openblas/" + platform.id + "/",
                "LAPACKE_ssyevd_work",
                List.of(0, 3, 20),
                "add the jar org.bytedeco:openblas with classifier " + platform.id + " to the class path");
    }

    String property() {
        return "kingfisher." + name + ".path";
    }

    String variable() {
        return "KINGFISHER_" + name.toUpperCase(java.util.Locale.ROOT) + "_PATH";
    }

    String minimumText() {
        return String.join(".", minimum.stream().map(String::valueOf).toList());
    }
}
