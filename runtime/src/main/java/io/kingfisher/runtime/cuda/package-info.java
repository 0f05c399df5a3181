/** The CUDA device: compiled graphs as captured launches and library calls. */
package io.kingfisher.runtime.cuda;
