/**
 * The loops of the CPU device: elementwise maps, reductions, movement and random numbers. Each kernel is prepared once for
 * its shapes and types, then bound to absolute addresses; running it allocates nothing.
 */
package io.kingfisher.runtime.cpu.kernels;
