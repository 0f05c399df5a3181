/** Methods that precondition the gradient of a layer from both sides, from one, or by vectors. */
package io.kingfisher.optimizers.kronecker;
