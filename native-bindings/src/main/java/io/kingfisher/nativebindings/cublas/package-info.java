/**
 * cuBLAS: {@link io.kingfisher.nativebindings.cublas.generated.cublas_h} is what its C headers say, and
 * {@link io.kingfisher.nativebindings.cublas.Cublas} checks its statuses.
 */
package io.kingfisher.nativebindings.cublas;
