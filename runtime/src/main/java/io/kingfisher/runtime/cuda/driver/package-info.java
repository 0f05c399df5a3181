/** The CUDA driver behind an interface. */
package io.kingfisher.runtime.cuda.driver;
