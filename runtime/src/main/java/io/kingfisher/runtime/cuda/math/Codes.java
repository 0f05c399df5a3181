package io.kingfisher.runtime.cuda.math;

import io.kingfisher.nativebindings.cublas.generated.cublas_h;

/** cuBLAS's and cuSOLVER's common numbers; the header is the same. */
final class Codes {
    static final int UPPER = cublas_h.CUBLAS_FILL_MODE_UPPER();
    static final int LOWER = cublas_h.CUBLAS_FILL_MODE_LOWER();
    static final int LEFT = cublas_h.CUBLAS_SIDE_LEFT();
    static final int RIGHT = cublas_h.CUBLAS_SIDE_RIGHT();
    static final int PLAIN = cublas_h.CUBLAS_OP_N();
    static final int TRANSPOSED = cublas_h.CUBLAS_OP_T();

    private Codes() {}
}
