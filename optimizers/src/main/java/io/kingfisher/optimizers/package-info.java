/** Optimizers, curvature and schedules. */
package io.kingfisher.optimizers;
