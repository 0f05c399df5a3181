/** Methods that see curvature only through its products with vectors, and what they are made of. */
package io.kingfisher.optimizers.matrixfree;
