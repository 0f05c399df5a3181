/** What the vendors' C headers say, and finding their libraries. */
module io.kingfisher.nativebindings {
    exports io.kingfisher.nativebindings;
    exports io.kingfisher.nativebindings.cblas;
    exports io.kingfisher.nativebindings.cblas.generated;
    exports io.kingfisher.nativebindings.dnnl;
    exports io.kingfisher.nativebindings.dnnl.generated;
    exports io.kingfisher.nativebindings.lapacke;
    exports io.kingfisher.nativebindings.lapacke.generated;
}
