package io.kingfisher.runtime.cuda.math;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import java.util.List;

/** The sources of the kernels around factorizations. */
public final class MatrixKernelSources {
    private MatrixKernelSources() {}

    public static List<KernelCode> all() {
        return List.of(MatrixKernels.code(DType.F32), MatrixKernels.code(DType.F64));
    }
}
