/**
 * NVTX 3: {@link io.kingfisher.nativebindings.nvtx.generated.nvtx_h} is what its C headers say, and
 * {@link io.kingfisher.nativebindings.nvtx.Nvtx} calls it where it is there.
 */
package io.kingfisher.nativebindings.nvtx;
