/** NVIDIA's mathematical libraries behind an interface. */
package io.kingfisher.runtime.cuda.math;
