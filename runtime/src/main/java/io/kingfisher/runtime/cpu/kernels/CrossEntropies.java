package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.cpu.kernels.Code.Kind;
import io.kingfisher.runtime.cpu.kernels.LoopSpec.Access;
import io.kingfisher.runtime.cpu.kernels.LoopSpec.Operand;
import io.kingfisher.runtime.cpu.kernels.LoopSpec.Result;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropy;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropyGrad;
import io.kingfisher.runtime.graph.Type;
import java.util.ArrayList;
import java.util.List;

/** The cross-entropy of rows of logits and its gradient, a row at a time while it is in the cache. */
final class CrossEntropies {
    private static final Expr X = Expr.arg(0), Y = Expr.arg(1), Z = Expr.arg(2);

    private final KernelEngine engine;
    private final DType dtype;
    private final Kind kind;
    private final int size;
    private final long rows;
    private final int classes;
    private final int parts;

    private CrossEntropies(KernelEngine engine, Type logits) {
        this.engine = engine;
        this.dtype = logits.dtype();
        this.kind = dtype == DType.F64 ? Kind.D : Kind.F;
        this.size = kind == Kind.D ? 8 : 4;
        this.rows = logits.shape().dim(0);
        this.classes = logits.shape().size(1);
        this.parts = MapStep.parts(engine.workers(), logits.shape().elements() * 40);
    }

    /** A loop along a row of logits whose other operands, of the compute type, are the same for the whole row. */
    private AdaptiveLoop loop(List<Expr> exprs, int operands, List<Reduce.Kind> folds) {
        DType compute = kind == Kind.D ? DType.F64 : DType.F32;
        Code code = new Code();
        int[] values = Lowering.lower(code, kind, exprs);
        List<Operand> inputs = new ArrayList<>();
        inputs.add(new Operand(dtype, Access.ELEMENTS));
        for (int k = 1; k < operands; k++) {
            inputs.add(new Operand(compute, Access.INVARIANT));
        }
        List<Result> results = new ArrayList<>();
        for (int r = 0; r < values.length; r++) {
            results.add(
                    folds.isEmpty()
                            ? new Result(values[r], dtype, Access.ELEMENTS, null)
                            : new Result(values[r], compute, Access.INVARIANT, folds.get(r)));
        }
        return engine.loop(new LoopSpec(code.insts(), kind, inputs, results));
    }

    static Kernel forward(KernelEngine engine, SoftmaxCrossEntropy op, Type logits) {
        return new CrossEntropies(engine, logits).new Forward(op);
    }

    static Kernel backward(KernelEngine engine, SoftmaxCrossEntropyGrad op, Type logits) {
        return new CrossEntropies(engine, logits).backward(op.forward());
    }

    /** Whether the label names a class. */
    private boolean valid(int label) {
        return label >= 0 && label < classes;
    }

    /** Operands: logits, labels, loss, log-sum-exp. */
    private final class Forward implements Kernel {
        private final SoftmaxCrossEntropy op;
        private final AdaptiveLoop extremes = loop(List.of(X, X), 1, List.of(Reduce.Kind.MAX, Reduce.Kind.SUM));
        private final AdaptiveLoop sum = loop(List.of(X.sub(Y).exp()), 2, List.of(Reduce.Kind.SUM));

        Forward(SoftmaxCrossEntropy op) {
            this.op = op;
        }

        private int lanes() {
            return Math.max(extremes.spec().lanes(), sum.spec().lanes());
        }

        /** The reduction of a row's values, which reach the first lanes only where the classes are few. */
        private double all(Reduce.Kind kind, long address, AdaptiveLoop loop) {
            int reached = Math.min(loop.spec().lanes(), (classes + 3) / 4 * 4);
            return Folds.all(kind, address, size, reached);
        }

        /** For each part the shift of the row, then lanes for the maximum and for sums. */
        private long partBytes() {
            return 64 + 2L * lanes() * size;
        }

        @Override
        public long scratchBytes() {
            return partBytes() * parts;
        }

        @Override
        public io.kingfisher.runtime.cpu.CpuStep bind(long... at) {
            extremes.ready();
            sum.ready();
            long scratch = at[4];
            long[][] one = new long[parts][3], two = new long[parts][3];
            long[] steps = new long[6];
            Workers.Task task = part -> {
                for (long row = rows * part / parts; row < rows * (part + 1) / parts; row++) {
                    row(at, row, scratch + part * partBytes(), one[part], two[part], steps);
                }
            };
            return () -> engine.workers().run(task, parts);
        }

        private void row(long[] at, long row, long shift, long[] one, long[] two, long[] steps) {
            long x = at[0] + row * classes * dtype.bytes();
            long first = shift + 64, second = first + (long) lanes() * size;
            one[0] = x;
            one[1] = first;
            one[2] = second;
            Folds.fill(first, extremes.spec().lanes(), size, Double.NEGATIVE_INFINITY);
            Folds.fill(second, extremes.spec().lanes(), size, 0);
            extremes.run(one, steps, 1, classes);
            double most = all(Reduce.Kind.MAX, first, extremes);
            double mean = all(Reduce.Kind.SUM, second, extremes) / classes;
            // Infinite logits make NaN of their difference to the maximum; the true sum is infinite or nothing.
            double base = Double.isInfinite(most) ? 0 : most;
            Folds.fill(shift, 1, size, base);
            Folds.fill(first, sum.spec().lanes(), size, 0);
            two[0] = x;
            two[1] = shift;
            two[2] = first;
            sum.run(two, steps, 1, classes);
            double lse = StrictMath.log(all(Reduce.Kind.SUM, first, sum)) + base;
            int label = Memory.i32(at[1] + 4 * row);
            double loss = Double.NaN;
            if (label == op.ignoredLabel()) {
                loss = 0;
            } else if (valid(label)) {
                double logit = Memory.get(dtype, x + (long) label * dtype.bytes());
                loss = lse - (logit * (1 - op.smoothing()) + (op.smoothing() == 0 ? 0 : mean * op.smoothing()));
            }
            Memory.set(dtype, at[2] + row * dtype.bytes(), loss);
            Memory.set(dtype, at[3] + row * dtype.bytes(), lse);
        }
    }

    /** Operands: logits, labels, log-sum-exp, dloss, dx. */
    private Kernel backward(SoftmaxCrossEntropy op) {
        double share = op.smoothing() / classes;
        AdaptiveLoop slope = loop(List.of(X.sub(Y).exp().sub(share).mul(Z)), 3, List.of());
        DType compute = kind == Kind.D ? DType.F64 : DType.F32;
        return new Kernel() {
            @Override
            public long scratchBytes() {
                return 64L * parts;
            }

            @Override
            public io.kingfisher.runtime.cpu.CpuStep bind(long... at) {
                slope.ready();
                long[][] cursors = new long[parts][4];
                long[] steps = new long[8];
                Workers.Task task = part -> {
                    long own = at[5] + 64L * part;
                    for (long row = rows * part / parts; row < rows * (part + 1) / parts; row++) {
                        gradient(row, at, own, cursors[part], steps);
                    }
                };
                return () -> engine.workers().run(task, parts);
            }

            private void gradient(long row, long[] at, long own, long[] cursor, long[] steps) {
                long dx = at[4] + row * classes * dtype.bytes();
                int label = Memory.i32(at[1] + 4 * row);
                if (!valid(label) || label == op.ignoredLabel()) {
                    double value = label == op.ignoredLabel() ? 0 : Double.NaN;
                    for (int c = 0; c < classes; c++) {
                        Memory.set(dtype, dx + (long) c * dtype.bytes(), value);
                    }
                    return;
                }
                double lse = Memory.get(dtype, at[2] + row * dtype.bytes());
                double weight = Memory.get(dtype, at[3] + row * dtype.bytes());
                Memory.set(compute, own, lse);
                Memory.set(compute, own + 8, weight);
                cursor[0] = at[0] + row * classes * dtype.bytes();
                cursor[1] = own;
                cursor[2] = own + 8;
                cursor[3] = dx;
                long place = (long) label * dtype.bytes();
                double p = StrictMath.exp(Memory.get(dtype, cursor[0] + place) - lse);
                slope.run(cursor, steps, 1, classes);
                Memory.set(dtype, dx + place, (p - (1 - op.smoothing()) - share) * weight);
            }
        };
    }
}
