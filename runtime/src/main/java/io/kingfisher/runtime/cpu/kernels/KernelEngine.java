package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cpu.CpuStep;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Gather;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Op;
import io.kingfisher.runtime.graph.Pool;
import io.kingfisher.runtime.graph.Random;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.ScatterAdd;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropy;
import io.kingfisher.runtime.graph.SoftmaxCrossEntropyGrad;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Prepares kernels and owns what they share: threads, generated loops, the thread that compiles vector code. One for each
 * device; preparing is thread-safe. Closing it ends its threads, after which no step may run.
 */
public final class KernelEngine implements AutoCloseable {
    /** Which loops run. All give the same bits. */
    public enum Mode {
        /** Single elements only. */
        SCALAR,
        /** Vectors from the first call on, however slow they are before they are compiled. */
        VECTOR,
        /** Single elements until a loop is hot and its vectors are compiled. */
        ADAPTIVE
    }

    private final Workers workers;
    private final Mode mode;
    private final Promoter promoter;
    private final Map<LoopSpec, AdaptiveLoop> loops = new ConcurrentHashMap<>();

    /** Vectors where the JVM has them, unless the property {@code kingfisher.vector} is {@code false}. */
    public KernelEngine(int threads) {
        this(threads, defaultMode());
    }

    /** As {@link #KernelEngine(int)}, on the threads that oneDNN uses. */
    public static KernelEngine besideOneDnn(int threads) {
        return new KernelEngine(Workers.shared(threads), defaultMode(), Promoter.LIMIT_NANOS);
    }

    public KernelEngine(int threads, Mode mode) {
        this(threads, mode, Promoter.LIMIT_NANOS);
    }

    /** As the others, with the time that the JIT compiler has for the vectors of one loop. */
    KernelEngine(int threads, Mode mode, long limitNanos) {
        this(new Workers(threads), mode, limitNanos);
    }

    private KernelEngine(Workers workers, Mode mode, long limitNanos) {
        this.workers = workers;
        this.mode = VectorSupport.PRESENT ? mode : Mode.SCALAR;
        this.promoter = this.mode == Mode.ADAPTIVE ? new Promoter(limitNanos) : null;
    }

    private static Mode defaultMode() {
        return "false".equals(System.getProperty("kingfisher.vector")) ? Mode.SCALAR : Mode.ADAPTIVE;
    }

    public Workers workers() {
        return workers;
    }

    /** What the elementwise loops run on and, where they could run faster, what to do about it. */
    public String report() {
        if (!VectorSupport.PRESENT) {
            return "elementwise: scalar loops; add --add-modules=jdk.incubator.vector to the java command for vectors";
        }
        if (mode == Mode.SCALAR) {
            return "elementwise: scalar loops, as kingfisher.vector=false asks";
        }
        int refused = promoter == null ? 0 : promoter.refused();
        return "elementwise: Vector API, " + 32 * VectorSupport.length() + " bits"
                + (refused == 0
                        ? ""
                        : "; " + refused
                                + " hot loops stay on single elements, since the JIT compiler did not make their vectors fast");
    }

    /** Waits until every loop that has become hot runs on vectors, for tests and benchmarks. */
    public void settle() {
        while (promoter != null && !promoter.idle()) {
            Thread.onSpinWait();
        }
    }

    /** The loop of a spec, written on another thread while this one prepares what comes next. */
    AdaptiveLoop loop(LoopSpec spec) {
        return loops.computeIfAbsent(spec, s -> {
            CompletableFuture<Loop> first = CompletableFuture.supplyAsync(
                    () -> Generator.loop(s, mode == Mode.VECTOR && s.vectorizes(VectorSupport.length())));
            return new AdaptiveLoop(s, first, promoter);
        });
    }

    /**
     * An elementwise kernel (see {@link io.kingfisher.runtime.graph.Map}): operands are the inputs, then one output in
     * row-major order for each result.
     *
     * @param shape the shape of the outputs, to which every input is broadcast
     */
    public Kernel map(List<Expr> results, List<DType> dtypes, Shape shape, List<View> inputs) {
        Kernel staged = StagedKernel.of(this, results, dtypes, shape, inputs);
        return staged != null ? staged : new MapKernel(this, results, dtypes, shape, inputs);
    }

    /**
     * Reductions of elementwise expressions: operands are the inputs, then one output in row-major order for each expression.
     * A sum of F32 is accumulated in F32 over a bounded number of elements and in F64 beyond.
     *
     * @param kinds what each expression's values are reduced by
     * @param shape the shape to which every input is broadcast before
     * @param axes the axes of the shape that vanish, ascending
     */
    public ReduceKernel reduce(
            List<Expr> exprs,
            List<Reduce.Kind> kinds,
            List<DType> dtypes,
            Shape shape,
            List<Integer> axes,
            List<View> inputs) {
        return new ReduceKernel(this, exprs, kinds, dtypes, shape, axes, inputs);
    }

    /**
     * Several steps bound from kernels of {@link #map}, none of which reads what another writes, as one: all their elements
     * are shared out once.
     */
    public CpuStep together(List<CpuStep> maps) {
        List<MapStep> simple = new ArrayList<>();
        List<CpuStep> others = new ArrayList<>();
        for (CpuStep step : maps) {
            if (step instanceof MapStep map) {
                simple.add(map);
            } else {
                others.add(step);
            }
        }
        CpuStep group = new MapGroup(workers, simple);
        if (others.isEmpty()) {
            return group;
        }
        CpuStep[] rest = others.toArray(CpuStep[]::new);
        return () -> {
            group.run();
            for (CpuStep step : rest) {
                step.run();
            }
        };
    }

    /**
     * The kernel of an op on operands in row-major order, the inputs and then the outputs; null where there is none here.
     */
    public Kernel kernel(Op op, List<Type> inputs) {
        Type first = inputs.isEmpty() ? null : inputs.get(0);
        List<Type> outputs = op.infer(inputs);
        return switch (op) {
            case io.kingfisher.runtime.graph.Map m ->
                map(m.results(), m.dtypes(), outputs.get(0).shape(), views(inputs));
            case Reduce(Reduce.Kind kind, List<Integer> axes) ->
                reduce(List.of(Expr.arg(0)), List.of(kind), List.of(first.dtype()), first.shape(), axes, views(inputs));
            case Movement m -> Movements.kernel(workers, m, inputs);
            case Gather _ -> Tables.gather(workers, first, inputs.get(1));
            case ScatterAdd _ -> Tables.scatterAdd(this, first, outputs.get(0));
            case Random random -> RandomNumbers.kernel(workers, random);
            case Pool pool -> Pools.kernel(workers, pool, inputs);
            case SoftmaxCrossEntropy c -> CrossEntropies.forward(this, c, first);
            case SoftmaxCrossEntropyGrad c -> CrossEntropies.backward(this, c, first);
            default -> null;
        };
    }

    private static List<View> views(List<Type> types) {
        return types.stream().map(View::of).toList();
    }

    @Override
    public void close() {
        if (promoter != null) {
            promoter.close();
        }
        workers.close();
    }
}
