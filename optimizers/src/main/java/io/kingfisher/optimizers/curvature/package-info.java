/**
 * What curvature methods are made of: where the gradients of single samples come from, layers as matrices, Kronecker factors
 * and how they are averaged, damped and taken apart.
 */
package io.kingfisher.optimizers.curvature;
