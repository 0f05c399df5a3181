/**
 * cuDNN 9: {@link io.kingfisher.nativebindings.cudnn.generated.cudnn_h} is what its C headers say, and
 * {@link io.kingfisher.nativebindings.cudnn.Cudnn} checks its statuses.
 */
package io.kingfisher.nativebindings.cudnn;
