/** Optimizers, curvature and schedules. */
module io.kingfisher.optimizers {
    requires transitive io.kingfisher.layers;

    exports io.kingfisher.optimizers;
    exports io.kingfisher.optimizers.curvature;
    exports io.kingfisher.optimizers.diagonal;
    exports io.kingfisher.optimizers.exact;
    exports io.kingfisher.optimizers.kronecker;
    exports io.kingfisher.optimizers.matrixfree;
    exports io.kingfisher.optimizers.sample;
    exports io.kingfisher.optimizers.schedule;
    exports io.kingfisher.optimizers.shampoo;
}
