package io.kingfisher.nativebindings;

import java.util.Locale;

/**
 * The operating system and processor, as they name the jars of native libraries. Only {@link #LINUX_X86_64} is tested.
 */
enum Platform {
    LINUX_X86_64("linux-x86_64", 62),
    LINUX_ARM64("linux-arm64", 183),
    MACOSX_ARM64("macosx-arm64", -1),
    WINDOWS_X86_64("windows-x86_64", -1);

    final String id;

    /** The machine number in an ELF file's header, -1 where libraries are not ELF files. */
    final int elfMachine;

    Platform(String id, int elfMachine) {
        this.id = id;
        this.elfMachine = elfMachine;
    }

    static Platform current() {
        return of(System.getProperty("os.name"), System.getProperty("os.arch"));
    }

    static Platform of(String osName, String osArch) {
        var os = osName.toLowerCase(Locale.ROOT);
        var x86 = osArch.equals("amd64") || osArch.equals("x86_64");
        var arm = osArch.equals("aarch64") || osArch.equals("arm64");
        if (os.startsWith("linux") && x86) {
            return LINUX_X86_64;
        } else if (os.startsWith("linux") && arm) {
            return LINUX_ARM64;
        } else if (os.startsWith("mac") && arm) {
            return MACOSX_ARM64;
        } else if (os.startsWith("windows") && x86) {
            return WINDOWS_X86_64;
        }
        throw new NativeLibraryException("Kingfisher has no native libraries for " + osName + " on " + osArch
                + "; it runs on linux-x86_64 (tested), linux-arm64, macosx-arm64 and windows-x86_64 (not tested)");
    }
}
