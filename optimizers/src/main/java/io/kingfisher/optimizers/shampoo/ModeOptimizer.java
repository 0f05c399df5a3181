package io.kingfisher.optimizers.shampoo;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Directions;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.curvature.Averaging;
import io.kingfisher.optimizers.curvature.Decompositions;
import io.kingfisher.optimizers.curvature.RunningFactor;
import io.kingfisher.optimizers.shampoo.Tiling.Tile;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * What the methods have in common: parameters seen as tiles of blocks, statistics of gradients at intervals, decompositions at
 * others, and directions made of gradients.
 *
 * @param <S> what a method keeps for a tile
 */
abstract class ModeOptimizer<S> extends Optimizer {
    /** A tile of a parameter and what is kept for it. */
    record Part<S>(Tile tile, S state) {}

    /** A parameter that is seen as tiles. */
    record Seen<S>(Parameter parameter, Tiling tiling, List<Part<S>> parts) {
        /** The blocks of each part of a value of the parameter's shape. */
        List<Value> cut(Value value) {
            Value view = value.reshape(tiling.view());
            return parts.stream().map(part -> part.tile().cut(view)).toList();
        }

        Value join(List<Value> blocks) {
            return tiling.join(blocks).reshape(parameter.shape());
        }
    }

    private final Device device;
    private final int statistics;
    private final int solves;
    private final Map<Parameter, Optional<Seen<S>>> seen = new LinkedHashMap<>();
    private final Map<Parameter, Value> directions = new HashMap<>();
    private final Map<String, Decompositions> decompositions = new LinkedHashMap<>();
    private final Set<RunningFactor> factors = new LinkedHashSet<>();
    private final List<String> notes = new ArrayList<>();

    /**
     * @param statistics steps between statistics, at least 1
     * @param solves steps between decompositions, 0 where there are none
     */
    ModeOptimizer(Device device, List<ParameterGroup> groups, Clipping clipping, int statistics, int solves) {
        super(device, groups, clipping);
        this.device = device;
        this.statistics = statistics;
        this.solves = solves;
    }

    /** Checks intervals as methods' settings have them. */
    static void intervals(String method, int statistics, int roots) {
        if (statistics < 1 || roots < 1) {
            throw new KingfisherException(
                    method + " needs intervals of at least 1 step, not " + statistics + " and " + roots + ".");
        }
    }

    /** How a parameter is seen, or nothing with what a user should know of how it is updated instead. */
    abstract Optional<Tiling> tiling(Parameter parameter);

    /** Makes what is kept for a tile. */
    abstract S keep(String path, Parameter parameter, Tile tile);

    /** Records the statistics of a tile's blocks. */
    abstract void observe(S state, Value blocks, Value refresh);

    /** What is decomposed at intervals. */
    List<Decompositions.Job> jobs(S state) {
        return List.of();
    }

    /** The direction of a parameter, of its shape, from its gradient. */
    abstract Value direction(Seen<S> seen, Value gradient, Directions all);

    /** Whether weight decay is part of a parameter's gradient. */
    abstract boolean decayInGradient();

    /** The average of a statistic, whose estimates that are not finite are reported. */
    final RunningFactor factor(String name, Shape shape, Averaging rule) {
        RunningFactor factor = new RunningFactor(state(), name, shape, rule);
        factors.add(factor);
        return factor;
    }

    final Tensor tensor(String name, Shape shape) {
        return state().tensor(name, DType.F32, shape, 0);
    }

    final void note(String line) {
        if (!notes.contains(line)) {
            notes.add(line);
        }
    }

    final List<Seen<S>> seen() {
        return seen.values().stream().flatMap(Optional::stream).toList();
    }

    /** With statistics in every step there are no other steps to tell from. */
    @Override
    protected final long refreshInterval() {
        return statistics == 1 ? 0 : statistics;
    }

    @Override
    protected final long solveInterval() {
        return solves;
    }

    @Override
    protected final void prepare(Gradients gradients, Cadence cadence) {
        for (ParameterGroup group : groups()) {
            for (Parameter parameter : group.parameters()) {
                if (parameter.trainable()) {
                    seen.computeIfAbsent(parameter, this::see);
                }
            }
        }
        if (cadence != Cadence.STEP || statistics == 1) {
            observe(gradients, cadence);
        }
    }

    private Optional<Seen<S>> see(Parameter parameter) {
        return tiling(parameter).map(tiling -> {
            List<Part<S>> parts = new ArrayList<>();
            for (Tile tile : tiling.tiles()) {
                String path = parameter.path() + (tiling.tiles().size() == 1 ? "" : ".tile" + tile.index());
                parts.add(new Part<>(tile, keep(path, parameter, tile)));
            }
            return new Seen<>(parameter, tiling, parts);
        });
    }

    /** Records the statistics before decompositions and updates. */
    void observe(Gradients gradients, Cadence cadence) {
        Graph graph = gradients.loss().graph();
        Tensor refreshes = tensor("refreshes", Shape.SCALAR);
        Value refresh = graph.read(refreshes).add(1);
        graph.assign(refreshes, refresh);
        observeAll(graph, clipped(graph, gradients::of), refresh);
    }

    final void observeAll(Graph graph, Map<Parameter, Value> gradients, Value refresh) {
        for (Seen<S> each : seen()) {
            try (Graph.Scope _ = graph.scope("curvature." + each.parameter().path())) {
                Value gradient = decayed(graph, each.parameter(), gradients.get(each.parameter()));
                List<Value> blocks = each.cut(gradient);
                for (int i = 0; i < blocks.size(); i++) {
                    observe(each.parts().get(i).state(), blocks.get(i), refresh);
                }
            }
        }
    }

    private Value decayed(Graph graph, Parameter parameter, Value gradient) {
        for (ParameterGroup group : groups()) {
            if (group.weightDecay() != 0
                    && decayInGradient()
                    && group.parameters().contains(parameter)) {
                return gradient.add(graph.read(parameter.tensor()).mul(group.weightDecay()));
            }
        }
        return gradient;
    }

    @Override
    protected void solve() {
        run("", this::jobs);
    }

    /** Runs the decompositions that go by a name. */
    final void run(String name, Function<S, List<Decompositions.Job>> jobs) {
        Decompositions all = decompositions.computeIfAbsent(
                name,
                _ -> new Decompositions(
                        device,
                        seen().stream()
                                .flatMap(each -> each.parts().stream())
                                .flatMap(part -> jobs.apply(part.state()).stream())
                                .toList()));
        beforeDecompositions();
        all.run();
    }

    /** What is computed on the way to decompositions by programs of its own. */
    void beforeDecompositions() {}

    @Override
    protected void direct(Directions all) {
        directions.clear();
        for (Seen<S> each : seen()) {
            try (Graph.Scope _ =
                    all.graph().scope("curvature." + each.parameter().path())) {
                Value gradient = decayed(all.graph(), each.parameter(), all.gradient(each.parameter()));
                directions.put(each.parameter(), direction(each, gradient, all));
            }
        }
    }

    /** The direction of a parameter in the recording under way; null where the parameter is not seen as tiles. */
    final Value direction(Parameter parameter) {
        return directions.get(parameter);
    }

    @Override
    public final List<String> notes() {
        return List.copyOf(notes);
    }

    @Override
    public final List<String> reports() {
        List<String> all = new ArrayList<>();
        decompositions.values().forEach(each -> all.addAll(each.reports()));
        factors.forEach(factor -> factor.report().ifPresent(all::add));
        return all;
    }

    @Override
    public void close() {
        decompositions.values().forEach(Decompositions::close);
        super.close();
    }
}
