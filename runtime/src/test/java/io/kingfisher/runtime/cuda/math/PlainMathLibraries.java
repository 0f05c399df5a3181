package io.kingfisher.runtime.cuda.math;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.List;

/**
 * The mathematical libraries computed on the processor: addresses are those of host memory, and a call has happened when
 * {@link Call#run} returns. Everything is computed in double precision and rounded where it is stored; operands are rounded
 * to TF32 first where that is asked for.
 */
public final class PlainMathLibraries implements MathLibraries {
    @Override
    public Call product(Product p) {
        positive("product", p.m(), p.n(), p.k(), p.batch());
        if (!has(p)) {
            throw new KingfisherException("There is no " + p + "; ask has() first.");
        }
        return new PlainCall("plain " + p, PlainProduct.operands(p), true, at -> PlainProduct.run(p, at));
    }

    @Override
    public Call selfProduct(SelfProduct p) {
        positive("product", p.n(), p.k(), p.batch());
        return new PlainCall("plain " + p, 2, true, at -> PlainProduct.run(p, at));
    }

    @Override
    public Call convolution(Conv c) {
        positive("convolution", c.image().elements(), c.weight().elements());
        return new PlainCall("plain " + c, 3, true, at -> new PlainConvolution(c).run(at));
    }

    @Override
    public Call attention(Attention a) {
        positive("attention", a.batch(), a.heads(), a.queries(), a.keys(), a.width());
        return new PlainCall("plain " + a, 5, true, at -> new PlainAttention(a).forward(at));
    }

    @Override
    public Call attentionGradient(Attention a) {
        positive("attention", a.batch(), a.heads(), a.queries(), a.keys(), a.width());
        return new PlainCall("plain gradient of " + a, 9, true, at -> new PlainAttention(a).backward(at));
    }

    @Override
    public boolean has(Attention attention) {
        return attention.dtype().floating();
    }

    @Override
    public Call factorization(Factorization f) {
        positive(
                "factorization",
                f.operands().stream().mapToLong(Shape::elements).toArray());
        if (f.dtype() != DType.F32 && f.dtype() != DType.F64) {
            throw new KingfisherException("A factorization is in F32 or F64, not " + f.dtype() + ".");
        }
        var plain = new PlainFactorization(f);
        return new PlainCall("plain " + f, plain.addresses(), false, plain::run);
    }

    private static void positive(String what, long... extents) {
        for (long extent : extents) {
            if (extent < 1) {
                throw new KingfisherException("The libraries take no empty " + what + ".");
            }
        }
    }

    @Override
    public List<String> report() {
        return List.of("mathematical libraries computed on the processor");
    }

    @Override
    public void close() {}
}
