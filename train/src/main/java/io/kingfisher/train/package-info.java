/** The command line: data, training loop, checkpoints, metrics, plots. */
package io.kingfisher.train;
