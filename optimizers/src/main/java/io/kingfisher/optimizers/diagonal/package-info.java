/** Methods that scale each element of a gradient by itself, besides {@link io.kingfisher.optimizers.Adam}. */
package io.kingfisher.optimizers.diagonal;
