/** Optimizers that solve for the step in the space of samples: they need products of samples' gradients alone. */
package io.kingfisher.optimizers.sample;
