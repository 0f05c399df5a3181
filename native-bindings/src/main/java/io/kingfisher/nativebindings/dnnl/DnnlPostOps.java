package io.kingfisher.nativebindings.dnnl;

import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;

/** {@code dnnl_post_ops_t}: what is done to a primitive's result before it is stored, in the order of the calls. */
public final class DnnlPostOps extends DnnlHandle {
    /** Makes an empty list. */
    public DnnlPostOps() {
        super(
                Dnnl.create("dnnl_post_ops_create", (scratch, out) -> dnnl_h.dnnl_post_ops_create(out)),
                "dnnl_post_ops_destroy",
                dnnl_h::dnnl_post_ops_destroy);
    }

    /** Applies an elementwise function, such as {@code dnnl_eltwise_relu}. */
    public DnnlPostOps eltwise(int algorithm, float alpha, float beta) {
        Dnnl.check(
                "dnnl_post_ops_append_eltwise", dnnl_h.dnnl_post_ops_append_eltwise(handle(), algorithm, alpha, beta));
        return this;
    }

    /** Adds {@code scale} times what the destination held. */
    public DnnlPostOps sum(float scale) {
        Dnnl.check(
                "dnnl_post_ops_append_sum",
                dnnl_h.dnnl_post_ops_append_sum(handle(), scale, 0, dnnl_h.dnnl_data_type_undef()));
        return this;
    }

    /** Combines with another operand, broadcast where its dimension is 1; see {@link #argument}. */
    public DnnlPostOps binary(int algorithm, DnnlMemoryDesc operand) {
        Dnnl.check(
                "dnnl_post_ops_append_binary",
                dnnl_h.dnnl_post_ops_append_binary(handle(), algorithm, operand.handle()));
        return this;
    }

    /** Returns the execution argument of the operand of the binary post-op at {@code index} in the list. */
    public static int argument(int index) {
        // The header's macro DNNL_ARG_ATTR_MULTIPLE_POST_OP(index) | DNNL_ARG_SRC_1
        return dnnl_h.DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE() * (index + 1) | dnnl_h.DNNL_ARG_SRC_1();
    }
}
