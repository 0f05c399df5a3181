package io.kingfisher.nativebindings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DiscoveryPartsTest {
    @Test
    void platforms() {
        assertEquals(Platform.LINUX_X86_64, Platform.of("Linux", "amd64"));
        assertEquals(Platform.LINUX_ARM64, Platform.of("Linux", "aarch64"));
        assertEquals(Platform.MACOSX_ARM64, Platform.of("Mac OS X", "aarch64"));
        assertEquals(Platform.WINDOWS_X86_64, Platform.of("Windows 11", "amd64"));
        var e = assertThrows(NativeLibraryException.class, () -> Platform.of("SunOS", "sparcv9"));
        assertTrue(e.getMessage().startsWith("Kingfisher has no native libraries for SunOS on sparcv9"));
    }

    @Test
    void aVersionFitsFromTheMinimumToTheEndOfItsMajorVersion() {
        var version = new LibraryVersions.Version(List.of(3, 11, 0), "");
        assertTrue(version.fits(List.of(3, 5)));
        assertTrue(version.fits(List.of(3, 11)));
        assertFalse(version.fits(List.of(3, 12)));
        assertFalse(version.fits(List.of(2, 7)));
        assertFalse(version.fits(List.of(4, 0)));
        assertTrue(new LibraryVersions.Version(List.of(0, 3, 31), "").fits(List.of(0, 3, 20)));
        assertFalse(new LibraryVersions.Version(List.of(0, 2, 99), "").fits(List.of(0, 3, 20)));
        assertEquals("3.11.0", version.toString());
    }

    @Test
    void theCacheFolder() {
        assertEquals(Path.of("/a"), LibraryCache.root("/a", Map.of("KINGFISHER_CACHE", "/b")));
        assertEquals(Path.of("/b"), LibraryCache.root(null, Map.of("KINGFISHER_CACHE", "/b", "XDG_CACHE_HOME", "/c")));
        assertEquals(Path.of("/c/kingfisher"), LibraryCache.root(null, Map.of("XDG_CACHE_HOME", "/c")));
        var home = Path.of(System.getProperty("user.home"), ".cache", "kingfisher");
        assertEquals(home, LibraryCache.root(null, Map.of("XDG_CACHE_HOME", "relative")));
        assertEquals(home, LibraryCache.root(null, Map.of()));
    }

    @Test
    void anUnknownSymbolOrLibraryIsNamed() {
        var e = assertThrows(
                NativeLibraryException.class, () -> Libraries.symbols("dnnl").find("dnnl_no_such_thing"));
        assertTrue(e.getMessage().contains("has no function dnnl_no_such_thing"), e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> Libraries.symbols("mkl"));
    }
}
