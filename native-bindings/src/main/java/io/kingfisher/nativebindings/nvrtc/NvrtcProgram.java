package io.kingfisher.nativebindings.nvrtc;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.kingfisher.nativebindings.CudaLibrary;
import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.nativebindings.nvrtc.generated.nvrtc_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * {@code nvrtcProgram}: a source of CUDA C++ and what it is compiled to. One thread at a time; several may compile several,
 * which then wait for each other.
 */
public final class NvrtcProgram implements AutoCloseable {
    private final String name;
    private final MemorySegment handle;
    private boolean closed;

    /**
     * {@code nvrtcCreateProgram}.
     *
     * @param name what the compiler calls the source in its messages, such as {@code softmax.cu}
     * @param source CUDA C++ with all that it includes
     * @throws io.kingfisher.nativebindings.NativeLibraryException if there is no usable NVRTC
     */
    public NvrtcProgram(String name, String source) {
        CudaLibrary.NVRTC.load();
        this.name = name;
        try (var scratch = Arena.ofConfined()) {
            var out = scratch.allocate(ADDRESS);
            Nvrtc.check(
                    "nvrtcCreateProgram",
                    nvrtc_h.nvrtcCreateProgram(
                            out,
                            scratch.allocateFrom(source),
                            scratch.allocateFrom(name),
                            0,
                            MemorySegment.NULL,
                            MemorySegment.NULL));
            handle = out.get(ADDRESS, 0);
        }
    }

    /**
     * {@code nvrtcCompileProgram}.
     *
     * @param options such as {@code --gpu-architecture=sm_90}
     * @return what the compiler said: warnings, and what options ask it to tell; empty where it said nothing
     * @throws NativeException with what the compiler said, {@code name(line): error: ...}, if it does not compile
     */
    public String compile(List<String> options) {
        return Compilations.alone(() -> compiled(options));
    }

    private String compiled(List<String> options) {
        try (var scratch = Arena.ofConfined()) {
            var pointers = scratch.allocate(ADDRESS, Math.max(1, options.size()));
            for (int i = 0; i < options.size(); i++) {
                pointers.setAtIndex(ADDRESS, i, scratch.allocateFrom(options.get(i)));
            }
            int result = nvrtc_h.nvrtcCompileProgram(open(), options.size(), pointers);
            var log = log(scratch);
            if (result != 0) {
                throw Nvrtc.failure(
                        "nvrtcCompileProgram",
                        result,
                        name + " did not compile with " + String.join(" ", options)
                                + (log.isEmpty() ? "" : ":\n" + log));
            }
            return log;
        }
    }

    private String log(Arena scratch) {
        var size = scratch.allocate(JAVA_LONG);
        Nvrtc.check("nvrtcGetProgramLogSize", nvrtc_h.nvrtcGetProgramLogSize(open(), size));
        var log = scratch.allocate(Math.max(1, size.get(JAVA_LONG, 0)));
        Nvrtc.check("nvrtcGetProgramLog", nvrtc_h.nvrtcGetProgramLog(open(), log));
        return log.getString(0).strip();
    }

    /** {@code nvrtcGetCUBIN}: machine code, where it was compiled for an {@code sm_} architecture. */
    public byte[] cubin() {
        try (var scratch = Arena.ofConfined()) {
            var size = scratch.allocate(JAVA_LONG);
            Nvrtc.check("nvrtcGetCUBINSize", nvrtc_h.nvrtcGetCUBINSize(open(), size));
            var image = scratch.allocate(Math.max(1, size.get(JAVA_LONG, 0)));
            Nvrtc.check("nvrtcGetCUBIN", nvrtc_h.nvrtcGetCUBIN(open(), image));
            return image.asSlice(0, size.get(JAVA_LONG, 0)).toArray(JAVA_BYTE);
        }
    }

    private MemorySegment open() {
        if (closed) {
            throw new IllegalStateException("this program of " + name + " has been closed");
        }
        return handle;
    }

    /** {@code nvrtcDestroyProgram}; the second time does nothing. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try (var scratch = Arena.ofConfined()) {
            Nvrtc.check("nvrtcDestroyProgram", nvrtc_h.nvrtcDestroyProgram(scratch.allocateFrom(ADDRESS, handle)));
        }
    }
}
