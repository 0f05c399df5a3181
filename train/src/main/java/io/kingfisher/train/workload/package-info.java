/** Training steps of known models on made-up data: what the self-test checks and the benchmarks measure. */
package io.kingfisher.train.workload;
