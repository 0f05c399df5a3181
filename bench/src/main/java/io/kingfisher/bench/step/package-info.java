/** Whole training steps, beside libtorch on the same inputs and initial weights. */
package io.kingfisher.bench.step;
