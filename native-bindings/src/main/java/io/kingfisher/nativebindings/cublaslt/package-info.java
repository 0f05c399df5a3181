/**
 * cuBLASLt: {@link io.kingfisher.nativebindings.cublaslt.generated.cublaslt_h} is what its C headers say, and
 * {@link io.kingfisher.nativebindings.cublaslt.CublasLt} checks its statuses.
 */
package io.kingfisher.nativebindings.cublaslt;
