/**
 * CBLAS by OpenBLAS: {@link io.kingfisher.nativebindings.cblas.generated.cblas_h} is what its C header says, and
 * {@link io.kingfisher.nativebindings.cblas.Cblas} calls it once the library is loaded.
 */
package io.kingfisher.nativebindings.cblas;
