package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cpu.CpuStep;
import io.kingfisher.runtime.cpu.kernels.Code.Kind;
import io.kingfisher.runtime.cpu.kernels.LoopSpec.Operand;
import io.kingfisher.runtime.cpu.kernels.LoopSpec.Result;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** An elementwise kernel. */
public final class MapKernel implements Kernel {
    private final KernelEngine engine;
    private final Nest nest;
    private final long[] offsets;
    private final AdaptiveLoop loop;

    MapKernel(KernelEngine engine, List<Expr> exprs, List<DType> dtypes, Shape shape, List<View> inputs) {
        this(
                engine,
                exprs,
                inputs.stream().map(input -> input.broadcast(shape)).toList(),
                dtypes.stream().map(dtype -> View.of(new Type(dtype, shape))).toList());
    }

    /** All views have the shape that is iterated over. */
    MapKernel(KernelEngine engine, List<Expr> exprs, List<View> inputs, List<View> outputs) {
        this.engine = engine;
        List<View> views = Stream.concat(inputs.stream(), outputs.stream()).toList();
        long[][] strides = views.stream().map(View::byteStrides).toArray(long[][]::new);
        nest = Nest.of(outputs.get(0).shape().toArray(), strides);
        offsets = views.stream()
                .mapToLong(view -> view.offset() * view.dtype().bytes())
                .toArray();
        Kind kind = views.stream().anyMatch(view -> view.dtype() == DType.F64) ? Kind.D : Kind.F;
        List<Operand> operands = new ArrayList<>();
        for (int k = 0; k < inputs.size(); k++) {
            DType dtype = inputs.get(k).dtype();
            operands.add(new Operand(dtype, nest.access(k, dtype.bytes())));
        }
        Code code = new Code();
        int[] values = Lowering.lower(code, kind, exprs);
        List<Result> results = new ArrayList<>();
        for (int r = 0; r < exprs.size(); r++) {
            DType dtype = outputs.get(r).dtype();
            results.add(new Result(values[r], dtype, nest.access(inputs.size() + r, dtype.bytes()), null));
        }
        loop = engine.loop(new LoopSpec(code.insts(), kind, operands, results));
    }

    @Override
    public CpuStep bind(long... addresses) {
        long[] start = addresses.clone();
        for (int k = 0; k < start.length; k++) {
            start[k] += offsets[k];
        }
        return new MapStep(engine.workers(), loop.ready(), nest, start);
    }
}
