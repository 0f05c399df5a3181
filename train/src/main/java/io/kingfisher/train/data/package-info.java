/**
 * Training data: {@link io.kingfisher.train.data.Datasets} opens a data set by name and path,
 * {@link io.kingfisher.train.data.DataLoader} turns it into batches in reused off-heap buffers.
 *
 * <p>Everything random is drawn from a counter-based generator keyed by what it is for (seed, epoch, position), so that
 * batches are the same for any number of worker threads and can be resumed from any position.
 */
package io.kingfisher.train.data;
