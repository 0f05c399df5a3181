/**
 * NVRTC: {@link io.kingfisher.nativebindings.nvrtc.generated.nvrtc_h} is what its C headers say, and
 * {@link io.kingfisher.nativebindings.nvrtc.Nvrtc} checks its statuses.
 */
package io.kingfisher.nativebindings.nvrtc;
