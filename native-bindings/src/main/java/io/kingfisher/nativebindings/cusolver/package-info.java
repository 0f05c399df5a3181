/**
 * cuSOLVER, its dense part: {@link io.kingfisher.nativebindings.cusolver.generated.cusolver_h} is what its C headers say, and
 * {@link io.kingfisher.nativebindings.cusolver.Cusolver} checks its statuses.
 */
package io.kingfisher.nativebindings.cusolver;
