/** Our own CUDA kernels: their sources, generated and written, and how they are launched. */
package io.kingfisher.runtime.cuda.kernels;
