/** Tensors, graphs, autodiff, programs and devices. */
package io.kingfisher.runtime;
