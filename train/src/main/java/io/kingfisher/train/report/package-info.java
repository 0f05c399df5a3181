/** What a run leaves to look at: metrics, TensorBoard events, summaries, curves, and its progress on the terminal. */
package io.kingfisher.train.report;
