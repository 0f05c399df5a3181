/**
 * NCCL: {@link io.kingfisher.nativebindings.nccl.generated.nccl_h} is what its C headers say, and
 * {@link io.kingfisher.nativebindings.nccl.Nccl} checks its statuses.
 */
package io.kingfisher.nativebindings.nccl;
