package io.kingfisher.nativebindings;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class NativeMemoryTest {
    @Test
    void blocksAreAlignedAndZeroed() {
        for (long bytes : new long[] {0, 1, 63, 64, 65, 4096, (2 << 20) - 1, 2 << 20, (5 << 20) + 3}) {
            // Twice, for the second may be what the first gave back.
            for (int round = 0; round < 2; round++) {
                try (var block = NativeMemory.allocate(bytes)) {
                    assertEquals(bytes, block.bytes());
                    assertEquals(bytes, block.segment().byteSize());
                    assertEquals(0, block.address() % (bytes >= 2 << 20 ? 2 << 20 : 64));
                    for (long i = 0; i < bytes; i++) {
                        if (block.segment().get(JAVA_BYTE, i) != 0) {
                            throw new AssertionError("byte " + i + " of " + bytes + " is not 0");
                        }
                    }
                    block.segment().fill((byte) 1);
                }
            }
        }
    }

    @Test
    void allMemoryByAddress() {
        try (var block = NativeMemory.allocate(64)) {
            NativeMemory.ALL.set(JAVA_LONG, block.address() + 8, 42);
            assertEquals(42, block.segment().get(JAVA_LONG, 8));
            assertEquals(42, NativeMemory.segment(block.address() + 8, 8).get(JAVA_LONG, 0));
        }
    }

    @Test
    void badRequestsAndClosedBlocks() {
        assertThrows(IllegalArgumentException.class, () -> NativeMemory.allocate(-1));
        assertThrows(OutOfMemoryError.class, () -> NativeMemory.allocate(Long.MAX_VALUE));
        assertThrows(OutOfMemoryError.class, () -> NativeMemory.allocate(1L << 60));
        var block = NativeMemory.allocate(8);
        block.close();
        block.close();
        assertThrows(IllegalStateException.class, block::segment);
    }

    @Test
    void environmentVariablesComeBeforeTheOpenMpRuntime() {
        Libraries.dnnl();
        NativeMemory.setenv("KINGFISHER_TEST", "1");
        assertThrows(IllegalArgumentException.class, () -> NativeMemory.setenv("A=B", "1"));
        assertThrows(IllegalStateException.class, () -> NativeMemory.setenv("OMP_NUM_THREADS", "1"));
    }

    @Test
    void threadCounts() {
        int openMp = NativeThreads.openMp();
        int openBlas = NativeThreads.openBlas();
        try {
            NativeThreads.setOpenMp(3);
            assertEquals(3, NativeThreads.openMp());
            NativeThreads.setOpenBlas(1);
            assertEquals(1, NativeThreads.openBlas());
            assertThrows(IllegalArgumentException.class, () -> NativeThreads.setOpenMp(0));
        } finally {
            NativeThreads.setOpenMp(openMp);
            NativeThreads.setOpenBlas(openBlas);
        }
    }
}
