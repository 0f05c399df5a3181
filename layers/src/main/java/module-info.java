/** Layers with capture points, losses and models. */
module io.kingfisher.layers {
    requires transitive io.kingfisher.runtime;

    exports io.kingfisher.layers;
    exports io.kingfisher.layers.models;
}
