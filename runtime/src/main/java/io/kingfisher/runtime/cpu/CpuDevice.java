package io.kingfisher.runtime.cpu;

import io.kingfisher.nativebindings.Libraries;
import io.kingfisher.nativebindings.LoadedLibrary;
import io.kingfisher.nativebindings.NativeException;
import io.kingfisher.nativebindings.NativeLibraryException;
import io.kingfisher.nativebindings.NativeThreads;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.cpu.kernels.KernelEngine;
import io.kingfisher.runtime.graph.Graph;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** The processor: oneDNN for convolutions, products and norms, OpenBLAS for factorizations, our own loops for the rest. */
public final class CpuDevice extends Device {
    private final DeviceOptions options;
    private final OneDnn onednn;
    private final KernelEngine kernels;
    private final List<String> report = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private boolean ended;

    /**
     * Loads the libraries and sets how many threads they use.
     *
     * @throws KingfisherException if one cannot be loaded, and what to do
     */
    public CpuDevice(DeviceOptions options) {
        this.options = options;
        try {
            if (Libraries.loaded().stream().noneMatch(library -> library.name().equals("dnnl"))) {
                NativeThreads.setDefault(options.threads());
            }
            NativeThreads.setOpenMp(options.threads());
            NativeThreads.setOpenBlas(options.threads());
            onednn = new OneDnn();
            kernels = KernelEngine.besideOneDnn(options.threads());
            describe(Libraries.dnnl());
            describe(Libraries.openblas());
            report.add("threads: " + NativeThreads.openMp() + " in oneDNN (OpenMP), " + NativeThreads.openBlas()
                    + " in OpenBLAS");
        } catch (NativeLibraryException | NativeException e) {
            throw new KingfisherException("The device cpu cannot be opened: " + e.getMessage() + ".", e);
        }
    }

    private void describe(LoadedLibrary library) {
        report.add(library.toString());
        library.dependencies().forEach(path -> report.add(library.name() + " uses " + path));
        library.rejected().forEach(reason -> report.add(library.name() + " was not taken from elsewhere: " + reason));
    }

    /**
     * Says why this device was taken and not another.
     *
     * @param surprising whether who starts a run should hear of it, and not only who asks for the report
     */
    public void taken(String why, boolean surprising) {
        report.add(why);
        if (surprising) {
            notes.add(why);
        }
    }

    @Override
    public List<String> notes() {
        return List.copyOf(notes);
    }

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public List<String> report() {
        return List.copyOf(report);
    }

    /** The threads that compute. */
    int threads() {
        return options.threads();
    }

    /** Whether a convolution may be computed by another algorithm than the direct one. */
    boolean winograd() {
        return options.winograd();
    }

    KernelEngine kernels() {
        return kernels;
    }

    OneDnn onednn() {
        return onednn;
    }

    @Override
    protected Program prepare(Graph graph) {
        NativeThreads.setOpenMp(options.threads());
        try {
            return new CpuCompiler(this, graph).compile();
        } catch (NativeException e) {
            throw new KingfisherException("The graph cannot be compiled for cpu: " + e.getMessage() + ".", e);
        }
    }

    Tensor memory(DType dtype, Shape shape, MemorySegment memory) {
        return view(dtype, shape, memory);
    }

    void closed(CpuProgram program) {
        forget(program);
    }

    /** Fails where the device is closed, without a lock. */
    boolean ended() {
        return ended;
    }

    @Override
    public void close() {
        super.close();
        if (!ended) {
            ended = true;
            kernels.close();
            onednn.close();
        }
    }
}
