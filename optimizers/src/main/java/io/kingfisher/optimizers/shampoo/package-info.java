/**
 * Methods that see a gradient as a tensor and precondition each of its modes by a second moment of gradients: no statistics but
 * gradients are needed, so that any parameter can be preconditioned.
 */
package io.kingfisher.optimizers.shampoo;
