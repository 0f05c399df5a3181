/**
 * LAPACK by OpenBLAS: {@link io.kingfisher.nativebindings.lapacke.generated.lapacke_h} is what its C header says, and
 * {@link io.kingfisher.nativebindings.lapacke.Lapacke} calls it and checks what it returns.
 */
package io.kingfisher.nativebindings.lapacke;
