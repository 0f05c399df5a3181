package io.kingfisher.nativebindings;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Looks at a library's file before it is loaded, and finds the file of one that was. */
final class LibraryFile {
    private static final Path MAPS = Path.of("/proc/self/maps");

    private LibraryFile() {}

    /**
     * Refuses what the dynamic linker would refuse with less of an explanation, and a truncated file, which it would map
     * and crash on.
     */
    static void check(Path path, Platform platform) {
        if (!Files.isRegularFile(path)) {
            throw new NativeLibraryException(Files.exists(path) ? "it is not a file" : "there is no such file");
        }
        if (platform.elfMachine < 0) {
            return;
        }
        var header = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        long size;
        try (var channel = FileChannel.open(path)) {
            size = channel.size();
            while (header.hasRemaining() && channel.read(header) >= 0) {}
        } catch (IOException e) {
            throw new NativeLibraryException("it cannot be read (" + e + ")", e);
        }
        if (header.hasRemaining() || header.getInt(0) != 0x464c457f) {
            throw new NativeLibraryException("it is not a shared library (an ELF file)");
        }
        if (header.get(4) != 2 || header.getShort(18) != platform.elfMachine) {
            throw new NativeLibraryException("it is a shared library for another processor than " + platform.id);
        }
        // The section headers come last in what linkers write.
        long end = header.getLong(40) + (long) header.getShort(58) * header.getShort(60);
        if (end > size) {
            throw new NativeLibraryException("it is truncated: " + size + " of at least " + end + " bytes");
        }
    }

    /** Returns the file mapped at an address, where the system tells. */
    static Optional<Path> of(MemorySegment symbol) {
        if (!Files.isReadable(MAPS)) {
            return Optional.empty();
        }
        try (var lines = Files.lines(MAPS, StandardCharsets.UTF_8)) {
            return lines.filter(line -> line.indexOf('/') > 0 && covers(line, symbol.address()))
                    .map(line -> Path.of(line.substring(line.indexOf('/'))))
                    .findFirst();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Whether the file is mapped into this process, or cannot be known not to be. */
    static boolean isMapped(Path file) {
        if (!Files.isReadable(MAPS)) {
            return Files.exists(file);
        }
        try (var lines = Files.lines(MAPS, StandardCharsets.UTF_8)) {
            return lines.anyMatch(line -> line.endsWith(" " + file));
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean covers(String line, long address) {
        int dash = line.indexOf('-');
        long start = Long.parseUnsignedLong(line, 0, dash, 16);
        long end = Long.parseUnsignedLong(line, dash + 1, line.indexOf(' '), 16);
        return Long.compareUnsigned(start, address) <= 0 && Long.compareUnsigned(address, end) < 0;
    }

    /** Says why a file that cannot be opened as a library cannot: loading it the JVM's own way tells the linker's reason. */
    @SuppressWarnings("restricted")
    static String whyNot(Path path) {
        try {
            System.load(path.toAbsolutePath().toString());
            return "it cannot be opened as a shared library";
        } catch (UnsatisfiedLinkError e) {
            return "the system cannot load it (" + e.getMessage() + ")";
        }
    }
}
