package io.kingfisher.nativebindings.dnnl;

import io.kingfisher.nativebindings.dnnl.generated.dnnl_h;
import java.lang.foreign.MemorySegment;

/** {@code dnnl_primitive_attr_t}: how a primitive computes. */
public final class DnnlAttributes extends DnnlHandle {
    /** Makes the default attributes. */
    public DnnlAttributes() {
        super(
                Dnnl.create("dnnl_primitive_attr_create", (scratch, out) -> dnnl_h.dnnl_primitive_attr_create(out)),
                "dnnl_primitive_attr_destroy",
                dnnl_h::dnnl_primitive_attr_destroy);
    }

    /** The caller provides the scratchpad, as the argument {@code DNNL_ARG_SCRATCHPAD}. */
    public DnnlAttributes userScratchpad() {
        return set(
                "dnnl_primitive_attr_set_scratchpad_mode",
                dnnl_h.dnnl_primitive_attr_set_scratchpad_mode(handle(), dnnl_h.dnnl_scratchpad_mode_user()));
    }

    /** Which lower precision inside is allowed: {@code dnnl_fpmath_mode_strict}, {@code dnnl_fpmath_mode_bf16}... */
    public DnnlAttributes fpmathMode(int mode) {
        return set(
                "dnnl_primitive_attr_set_fpmath_mode_v2",
                dnnl_h.dnnl_primitive_attr_set_fpmath_mode_v2(handle(), mode, 0));
    }

    /** The precision of sums: {@code dnnl_accumulation_mode_strict}... */
    public DnnlAttributes accumulationMode(int mode) {
        return set(
                "dnnl_primitive_attr_set_accumulation_mode",
                dnnl_h.dnnl_primitive_attr_set_accumulation_mode(handle(), mode));
    }

    /** Whether every execution with the same inputs gives the same bits. */
    public DnnlAttributes deterministic(boolean value) {
        return set(
                "dnnl_primitive_attr_set_deterministic",
                dnnl_h.dnnl_primitive_attr_set_deterministic(handle(), value ? 1 : 0));
    }

    /** Appends post-ops, which are copied. */
    public DnnlAttributes postOps(DnnlPostOps postOps) {
        MemorySegment list = postOps.handle();
        return set("dnnl_primitive_attr_set_post_ops", dnnl_h.dnnl_primitive_attr_set_post_ops(handle(), list));
    }

    private DnnlAttributes set(String function, int status) {
        Dnnl.check(function, status);
        return this;
    }
}
