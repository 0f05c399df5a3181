/** Compiling our own CUDA kernels by NVRTC, and keeping what was compiled on disk. */
package io.kingfisher.runtime.cuda.nvrtc;
