/** Optimizers, curvature and schedules. */
module io.kingfisher.optimizers {
    requires transitive io.kingfisher.layers;
}
