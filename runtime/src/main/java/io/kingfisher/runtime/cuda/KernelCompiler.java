package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * Turns the sources of kernels into modules of one device: by NVRTC and a cache on disk, or in tests by a C++ compiler for
 * the processor. Not part of the public interface.
 */
public interface KernelCompiler {
    /**
     * The loaded module of each source, to be asked for functions by {@code Driver.function(module, name)}. Asked once for
     * all kernels of a program, so that those that are new can be compiled together or side by side; what has been asked for
     * before is answered from memory. The caller does not unload modules: they live as long as the device.
     *
     * @throws io.kingfisher.runtime.KingfisherException naming the source and what the compiler said, where one does not
     *     compile
     */
    Map<KernelCode, Long> modules(Collection<KernelCode> codes);

    /** The compiler's version, the architecture and the cache, a line each. */
    List<String> report();
}
