/**
 * The CUDA driver: {@link io.kingfisher.nativebindings.cuda.generated.cuda_h} is what its C headers say, and
 * {@link io.kingfisher.nativebindings.cuda.Cuda} checks its statuses.
 */
package io.kingfisher.nativebindings.cuda;
