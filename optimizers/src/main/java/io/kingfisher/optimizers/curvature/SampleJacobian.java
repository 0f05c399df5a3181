package io.kingfisher.optimizers.curvature;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.curvature.SampleRows.Application;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The matrix J [M x P] whose rows are gradients of single samples, M = draws x N with the draws outermost, as products with it:
 * its rows are never kept. Everything is made of the captures of one forward pass (Goodfellow, Efficient per-example gradient
 * computations, 2015; Ren and Goldfarb, 2019, section 3): J J^T is the sum over layers of (a a^T) o (g g^T), J v a product of
 * each layer's inputs with v, and J^T y a weight gradient of outputs' gradients that are weighted by y.
 *
 * <p>A sample is an entry of the batch's leading axis, a whole text for example: its gradient is the sum of its terms'. The
 * samples of several micro-batches are joined into one matrix. The columns are the parameters of captured layers; all others
 * are {@link #uncovered}. Where samples see each other (batch norm) a row is what passes through the sample's own
 * activations, so that the rows still add up to the gradient.
 */
public final class SampleJacobian {
    private final List<SampleRows> layers;
    private final List<Parameter> covered, uncovered;
    private final long draws, samples;

    private SampleJacobian(
            List<SampleRows> layers, List<Parameter> covered, List<Parameter> uncovered, long draws, long samples) {
        this.layers = layers;
        this.covered = covered;
        this.uncovered = uncovered;
        this.draws = draws;
        this.samples = samples;
    }

    /** All samples, each with its own gradient. */
    public static SampleJacobian of(Gradients gradients, List<LabelSource.Draw> draws) {
        return of(gradients, draws, Sharing.EXACT_PER_SAMPLE, Long.MAX_VALUE);
    }

    /**
     * The Jacobian of a recording.
     *
     * @param draws whose gradients the rows are, each times the root of its weight
     * @param sharing what a sample is where a layer is applied at several places of it
     * @param first how many of the samples, from the first on
     * @throws KingfisherException where a layer does not keep the samples apart
     */
    public static SampleJacobian of(Gradients gradients, List<LabelSource.Draw> draws, Sharing sharing, long first) {
        int parts = gradients.likelihoods().size();
        Map<Parameter, List<Capture>> byWeight = new LinkedHashMap<>();
        gradients
                .captures()
                .forEach(c -> byWeight.computeIfAbsent(c.weight(), _ -> new ArrayList<>())
                        .add(c));
        List<SampleRows> layers = new ArrayList<>();
        List<Parameter> covered = new ArrayList<>();
        long[] sizes = sizes(gradients, parts);
        long samples = -1;
        for (var entry : byWeight.entrySet()) {
            List<Application> uses = new ArrayList<>();
            List<Capture> all = entry.getValue();
            int each = all.size() / parts;
            if (each * parts != all.size()) {
                throw new KingfisherException(all.get(0).layer().label() + " is applied " + all.size() + " times in "
                        + parts + " micro-batches; apply it equally often in each, or use one batch.");
            }
            for (int k = 0; k < each; k++) {
                List<Capture> same = new ArrayList<>();
                for (int m = 0; m < parts; m++) {
                    same.add(all.get(m * each + k));
                }
                uses.add(application(same, draws, sizes, sharing, first));
            }
            Optional<Parameter> weight = Optional.of(entry.getKey()).filter(Parameter::trainable);
            Optional<Parameter> bias = all.stream()
                    .flatMap(c -> c.bias().stream())
                    .filter(Parameter::trainable)
                    .findFirst();
            SampleRows rows = rows(entry.getKey(), weight, bias, uses, sharing);
            layers.add(rows);
            weight.ifPresent(covered::add);
            bias.ifPresent(covered::add);
            long own = uses.get(0).samples() * (sharing == Sharing.EXPAND ? places(uses.get(0)) : 1);
            if (samples >= 0 && own != samples) {
                throw new KingfisherException(all.get(0).layer().label() + " is applied at " + own
                        + " places, another layer at " + samples
                        + ": every place as a sample of its own needs equally many; use EXACT_PER_SAMPLE or REDUCE.");
            }
            samples = own;
        }
        if (layers.isEmpty()) {
            throw new KingfisherException(
                    "No trainable layer of the model leaves captures, so there are no gradients of"
                            + " single samples; use a first-order method.");
        }
        List<Parameter> uncovered = gradients.parameters().stream()
                .filter(p -> !covered.contains(p))
                .toList();
        return new SampleJacobian(layers, Collections.unmodifiableList(covered), uncovered, draws.size(), samples);
    }

    /** The samples of each micro-batch; every layer must see them along its leading axis. */
    private static long[] sizes(Gradients gradients, int parts) {
        long[] sizes = new long[parts];
        List<Capture> all = gradients.captures();
        int each = Math.max(1, all.size() / parts);
        for (int i = 0; i < all.size(); i++) {
            Capture capture = all.get(i);
            int part = Math.min(parts - 1, i / each);
            long n = capture.s().rank() < 2 ? 0 : capture.s().dim(0);
            sizes[part] = i % each == 0 && i / each == part ? n : sizes[part];
            if (n < 1 || n != sizes[part]) {
                throw new KingfisherException(
                        capture.layer().label() + " makes " + capture.s().type()
                                + " of a batch of " + sizes[part]
                                + " samples, so that their gradients cannot be told apart; give it values whose leading axis is"
                                + " the batch's.");
            }
        }
        for (int m = 0; m < parts; m++) {
            long rows = gradients.likelihoods().get(m).prediction().dim(0);
            if (sizes[m] > 0 && rows % sizes[m] != 0) {
                throw new KingfisherException("The model makes " + rows + " predictions of a batch of " + sizes[m]
                        + " samples; every sample needs equally many.");
            }
        }
        return sizes;
    }

    private static Application application(
            List<Capture> parts, List<LabelSource.Draw> draws, long[] sizes, Sharing sharing, long first) {
        Graph graph = parts.get(0).s().graph();
        List<Value> inputs = new ArrayList<>();
        long total = 0;
        for (int m = 0; m < parts.size(); m++) {
            Capture part = parts.get(m);
            inputs.add(
                    switch (part) {
                        case Capture.BatchNorm2d c -> c.normalized();
                        case Capture.LayerNorm c -> c.normalized();
                        default -> part.a();
                    });
            total += sizes[m];
        }
        long kept = Math.min(first, total);
        Value a = graph.concat(0, inputs).slice(0, 0, kept);
        List<Value> gs = new ArrayList<>();
        for (LabelSource.Draw draw : draws) {
            Value g = graph.concat(
                            0, parts.stream().map(c -> draw.gradients().get(c)).toList())
                    .slice(0, 0, kept);
            Value scaled = draw.weight() == 1 ? g : g.mul(Math.sqrt(draw.weight()));
            gs.add(scaled.reshape(Shape.of(1).concat(scaled.shape())));
        }
        Value g = graph.concat(0, gs);
        Capture capture = parts.get(0);
        if (sharing != Sharing.EXPAND || capture instanceof Capture.Conv2d) {
            return new Application(capture, a, g);
        }
        if (capture instanceof Capture.BatchNorm2d) {
            throw new KingfisherException(capture.layer().label()
                    + " has one gradient for all places of a sample; use EXACT_PER_SAMPLE or REDUCE.");
        }
        boolean table = capture instanceof Capture.Embedding;
        long rows = table ? a.shape().elements() : a.shape().elements() / a.dim(-1);
        return new Application(
                capture,
                table ? a.reshape(rows) : a.reshape(rows, a.dim(-1)),
                g.reshape(draws.size(), rows, g.dim(-1)));
    }

    /** How many samples of its own {@link OuterRows} makes of each. */
    private static long places(Application use) {
        return use.capture() instanceof Capture.Conv2d
                ? use.g().dim(3) * use.g().dim(4)
                : 1;
    }

    private static SampleRows rows(
            Parameter known,
            Optional<Parameter> weight,
            Optional<Parameter> bias,
            List<Application> uses,
            Sharing sharing) {
        List<Application> lookups = uses.stream()
                .filter(use -> use.capture() instanceof Capture.Embedding)
                .toList();
        List<Application> others =
                uses.stream().filter(use -> !lookups.contains(use)).toList();
        boolean norm = uses.get(0).capture() instanceof Capture.BatchNorm2d
                || uses.get(0).capture() instanceof Capture.LayerNorm;
        if (norm) {
            return new NormRows(weight, bias, uses);
        }
        boolean flat = sharing == Sharing.EXPAND && !(uses.get(0).capture() instanceof Capture.Conv2d);
        Sharing own = flat || !lookups.isEmpty() ? Sharing.EXACT_PER_SAMPLE : sharing;
        Optional<OuterRows> outer = others.isEmpty()
                ? Optional.empty()
                : Optional.of(new OuterRows(weight, bias, known.shape(), others, own));
        return lookups.isEmpty() ? outer.orElseThrow() : new TableRows(known, lookups, outer);
    }

    /** M, the number of rows: draws times {@link #samples}. */
    public long rows() {
        return draws * samples;
    }

    /** N. */
    public long samples() {
        return samples;
    }

    /** The parameters that the columns belong to. */
    public List<Parameter> parameters() {
        return covered;
    }

    /** Parameters of the loss whose layers leave no captures: they have no columns. */
    public List<Parameter> uncovered() {
        return uncovered;
    }

    /** J J^T [M x M], added up in F64. */
    public Value gram() {
        return SampleRows.sum(layers.stream().map(SampleRows::gram).toList());
    }

    /** The squared lengths of the rows [M], F64. */
    public Value squaredNorms() {
        return SampleRows.sum(layers.stream().map(SampleRows::squaredNorms).toList());
    }

    /** J v [M], F32: the derivative of each row's loss along v, which is given by parameter. */
    public Value times(Function<Parameter, Value> v) {
        List<Value> parts = layers.stream().map(layer -> layer.times(v)).toList();
        return SampleRows.sum(parts).reshape(rows());
    }

    /** J^T y by parameter, F32 of its shape, for y [M] of any floating type. */
    public Map<Parameter, Value> transposed(Value y) {
        Value weights = y.cast(DType.F32).reshape(draws, samples);
        Map<Parameter, Value> result = new LinkedHashMap<>();
        layers.forEach(layer -> result.putAll(layer.transposed(weights)));
        return result;
    }
}
