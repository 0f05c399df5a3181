/** Tensors, graphs, autodiff, programs and devices. */
module io.kingfisher.runtime {
    requires transitive io.kingfisher.nativebindings;
    requires static jdk.incubator.vector;
    requires jdk.management;

    exports io.kingfisher.runtime;
    exports io.kingfisher.runtime.conformance;
    exports io.kingfisher.runtime.graph;
}
