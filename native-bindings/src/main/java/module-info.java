/** What the vendors' C headers say, and finding their libraries. */
module io.kingfisher.nativebindings {
    exports io.kingfisher.nativebindings;
    exports io.kingfisher.nativebindings.cblas;
    exports io.kingfisher.nativebindings.cblas.generated;
    exports io.kingfisher.nativebindings.cublas;
    exports io.kingfisher.nativebindings.cublas.generated;
    exports io.kingfisher.nativebindings.cublaslt;
    exports io.kingfisher.nativebindings.cublaslt.generated;
    exports io.kingfisher.nativebindings.cuda;
    exports io.kingfisher.nativebindings.cuda.generated;
    exports io.kingfisher.nativebindings.cudnn;
    exports io.kingfisher.nativebindings.cudnn.generated;
    exports io.kingfisher.nativebindings.cusolver;
    exports io.kingfisher.nativebindings.cusolver.generated;
    exports io.kingfisher.nativebindings.dnnl;
    exports io.kingfisher.nativebindings.dnnl.generated;
    exports io.kingfisher.nativebindings.lapacke;
    exports io.kingfisher.nativebindings.lapacke.generated;
    exports io.kingfisher.nativebindings.nccl;
    exports io.kingfisher.nativebindings.nccl.generated;
    exports io.kingfisher.nativebindings.nvrtc;
    exports io.kingfisher.nativebindings.nvrtc.generated;
    exports io.kingfisher.nativebindings.nvtx;
    exports io.kingfisher.nativebindings.nvtx.generated;
}
