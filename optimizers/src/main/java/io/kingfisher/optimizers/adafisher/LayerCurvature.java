package io.kingfisher.optimizers.adafisher;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.AdaFisherConfig;
import io.kingfisher.optimizers.AdaFisherConfig.Mode;
import io.kingfisher.optimizers.adafisher.ParameterCurvature.Vector;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The curvature of one weight and its bias: which diagonals there are, how captures refresh them, and how they meet the
 * parameters' elements. Several captures of a weight count as one larger batch.
 */
public final class LayerCurvature {
    /** The parameters whose damping and scale are one, in mode relative. */
    private record Block(String name, List<ParameterCurvature> members, Tensor scale, Tensor damping) {}

    private final AdaFisherConfig config;
    private final List<FactorDiagonal> diagonals = new ArrayList<>();
    private final List<Block> blocks = new ArrayList<>();

    private LayerCurvature(AdaFisherConfig config) {
        this.config = config;
    }

    /** The captures that a mode has a rule for. */
    public static List<Capture> supported(List<Capture> captures, AdaFisherConfig config) {
        return captures.stream()
                .filter(capture -> !(capture instanceof Capture.Embedding) || config.mode() != Mode.RELEASED)
                .toList();
    }

    /** The curvature of the weight that these captures have in common, its state made by {@code state}. */
    public static LayerCurvature of(List<Capture> captures, AdaFisherConfig config, StateSource state) {
        Capture first = captures.get(0);
        LayerCurvature layer = new LayerCurvature(config);
        switch (first) {
            case Capture.Linear c -> layer.matrix(c.weight(), c.bias(), state);
            case Capture.Embedding c ->
                layer.matrix(
                        c.weight(),
                        captures.stream().flatMap(o -> o.bias().stream()).findFirst(),
                        state);
            case Capture.Conv2d c -> layer.convolution(c, state);
            case Capture.BatchNorm2d c -> layer.norm(c, state);
            case Capture.LayerNorm c -> layer.norm(c, state);
        }
        return layer;
    }

    /** A weight [O x I]: one vector over the columns (with the bias's constant input), one over the rows. */
    private void matrix(Parameter weight, Optional<Parameter> bias, StateSource state) {
        long rows = weight.shape().dim(0), columns = weight.shape().dim(1);
        List<Shape> inputs = new ArrayList<>(List.of(Shape.of(columns)));
        bias.ifPresent(_ -> inputs.add(Shape.of(1)));
        FactorDiagonal h = diagonal(weight, "H", state, inputs);
        FactorDiagonal s = diagonal(weight, "S", state, List.of(Shape.of(rows)));
        Block block = block(weight.path(), state);
        member(
                block,
                weight,
                weight.shape(),
                new Vector(h, 0, Shape.of(1, columns)),
                new Vector(s, 0, Shape.of(rows, 1)));
        bias.ifPresent(
                b -> member(block, b, b.shape(), new Vector(h, 1, Shape.of(1)), new Vector(s, 0, Shape.of(rows))));
    }

    /** A kernel [O x C/g x KH x KW]; with groups seen group by group, since each group of outputs has its own patches. */
    private void convolution(Capture.Conv2d c, StateSource state) {
        Shape w = c.weight().shape();
        long own = config.mode() == Mode.RELEASED ? 1 : c.window().groups(), outputs = w.dim(0) / own;
        Shape patch = Shape.of(own, w.dim(1), w.dim(2), w.dim(3));
        List<Shape> inputs = new ArrayList<>(List.of(patch));
        c.bias().ifPresent(_ -> inputs.add(Shape.of(1)));
        FactorDiagonal h = diagonal(c.weight(), "H", state, inputs);
        FactorDiagonal s = diagonal(c.weight(), "S", state, List.of(Shape.of(w.dim(0))));
        Block block = block(c.weight().path(), state);
        Vector s1, h1;
        Shape view;
        if (own == 1) {
            view = w;
            h1 = new Vector(h, 0, patch);
            s1 = new Vector(s, 0, Shape.of(outputs, 1, 1, 1));
        } else {
            view = Shape.of(own, outputs, w.elements() / w.dim(0));
            h1 = new Vector(h, 0, Shape.of(own, 1, view.dim(2)));
            s1 = new Vector(s, 0, Shape.of(own, outputs, 1));
        }
        member(block, c.weight(), view, h1, s1);
        c.bias()
                .ifPresent(
                        b -> member(block, b, b.shape(), new Vector(h, 1, Shape.of(1)), new Vector(s, 0, b.shape())));
    }

    /** A scale and a shift per channel: two numbers and a vector as released, else one exact vector for each. */
    private void norm(Capture c, StateSource state) {
        Shape channels = c.weight().shape();
        if (config.mode() == Mode.RELEASED) {
            FactorDiagonal h = diagonal(c.weight(), "H", state, List.of(Shape.of(1), Shape.of(1)));
            FactorDiagonal s = diagonal(c.weight(), "S", state, List.of(channels));
            Block block = block(c.weight().path(), state);
            member(block, c.weight(), channels, new Vector(h, 0, Shape.of(1)), new Vector(s, 0, channels));
            c.bias()
                    .ifPresent(
                            b -> member(block, b, channels, new Vector(h, 1, Shape.of(1)), new Vector(s, 0, channels)));
            return;
        }
        FactorDiagonal scale = diagonal(c.weight(), "F", state, List.of(channels));
        member(block(c.weight().path(), state), c.weight(), channels, new Vector(scale, 0, channels));
        c.bias().ifPresent(b -> {
            FactorDiagonal shift = diagonal(b, "F", state, List.of(channels));
            member(block(b.path(), state), b, channels, new Vector(shift, 0, channels));
        });
    }

    private FactorDiagonal diagonal(Parameter of, String name, StateSource state, List<Shape> parts) {
        FactorDiagonal result = new FactorDiagonal(config, state, of.path() + "." + name, parts);
        diagonals.add(result);
        return result;
    }

    private Block block(String name, StateSource state) {
        boolean relative = config.mode() == Mode.RELATIVE;
        Block block = new Block(
                name,
                new ArrayList<>(),
                relative ? state.tensor(name + ".scale", Shape.SCALAR, 1) : null,
                relative ? state.tensor(name + ".damping", Shape.SCALAR, 1) : null);
        blocks.add(block);
        return block;
    }

    private void member(Block block, Parameter parameter, Shape view, Vector... vectors) {
        block.members().add(new ParameterCurvature(parameter, view, List.of(vectors), block.scale(), block.damping()));
    }

    /** The curvature of each parameter that the layer has. */
    public List<ParameterCurvature> parameters() {
        return blocks.stream().flatMap(block -> block.members().stream()).toList();
    }

    /** Records the refresh from the statistics of these captures. */
    public void refresh(Gradients gradients, List<Capture> captures) {
        Graph graph = gradients.loss().graph();
        List<List<Value>> fresh = Statistics.of(captures, gradients, config.mode() == Mode.RELEASED);
        for (int i = 0; i < diagonals.size(); i++) {
            List<Value> parts = fresh.get(i);
            diagonals.get(i).refresh(graph, parts.subList(0, diagonals.get(i).parts()));
        }
        if (config.mode() == Mode.RELATIVE) {
            blocks.forEach(block -> relate(graph, block));
        }
    }

    /**
     * The damping tau mean(D) of a block with diagonal D, and the norm with mean(((D + damping) / norm)^-power) = 1; what is
     * kept is 1 / norm and damping / norm.
     */
    private void relate(Graph graph, Block block) {
        List<Value> sums = new ArrayList<>();
        double elements = 0;
        for (ParameterCurvature member : block.members()) {
            sums.add(member.sum(graph));
            elements += member.view().elements();
        }
        double count = elements;
        // The same share of every average is still missing in the first refreshes, which the norm takes out again.
        // A layer without any curvature (all gradients zero) must not divide by zero.
        Value damping =
                graph.sum(sums).map(Expr.arg(0).mul(config.tau() / count).max(Expr.of(1e-30)));
        // With x = D / damping the norm is damping * mean((x + 1)^-power)^(-1/power): no power of a tiny number is
        // taken.
        List<Value> steps = block.members().stream()
                .map(member -> member.sum(
                        graph,
                        (diagonal, by) -> Expr.of(1).div(root(diagonal.add(by).div(by), config.power())),
                        damping))
                .toList();
        Value mean = graph.sum(steps).mul(1 / count);
        Value inverse = graph.map(Expr.arg(0).pow(1 / config.power()).div(Expr.arg(1)), mean, damping);
        graph.assign(block.scale(), inverse);
        graph.assign(block.damping(), damping.mul(inverse));
    }

    /** An expression to a power, without a general power where a cheaper function will do. */
    public static Expr root(Expr x, double power) {
        return power == 1 ? x : power == 0.5 ? x.sqrt() : x.pow(power);
    }
}
