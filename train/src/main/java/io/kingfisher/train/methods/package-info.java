/** The optimizers that a configuration can name: their settings, their papers, and how they are made. */
package io.kingfisher.train.methods;
