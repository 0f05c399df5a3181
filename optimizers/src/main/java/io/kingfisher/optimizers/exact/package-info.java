/** Curvature of small models written out in double precision: what approximations are compared with. */
package io.kingfisher.optimizers.exact;
