package io.kingfisher.optimizers.curvature;

import io.kingfisher.layers.Capture;
import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Likelihood;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Random;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Which targets the gradients behind a curvature matrix belong to, and so which matrix it is an estimate of (Kunstner et al.,
 * 2019; Dangel et al., 2020). Every estimate is the mean over samples of the sum of weight g g^T over {@link Draw draws}.
 */
public sealed interface LabelSource {
    /**
     * Gradients g of single samples' losses, without 1 / N.
     *
     * @param gradients for each capture the gradient with respect to {@link Capture#s()}, of its shape
     */
    record Draw(double weight, Map<Capture, Value> gradients) {}

    /** Records the backward passes that are needed beyond the loss's own. */
    List<Draw> draws(Gradients gradients);

    /** No draws: for methods that look at the inputs of layers alone, or at the gradients of the loss itself. */
    record None() implements LabelSource {
        @Override
        public List<Draw> draws(Gradients gradients) {
            return List.of();
        }
    }

    /** The training labels: the empirical Fisher matrix, at no cost. It is no Fisher matrix far from a fit. */
    record Empirical() implements LabelSource {
        @Override
        public List<Draw> draws(Gradients gradients) {
            Value samples = gradients.samples();
            Map<Capture, Value> scaled = new LinkedHashMap<>();
            gradients.captures().forEach(c -> scaled.put(c, gradients.of(c).mul(samples)));
            return List.of(new Draw(1, scaled));
        }
    }

    /**
     * The training labels, each sample's gradients divided by the length of its loss's gradient with respect to the model's
     * output z: G = E[g g^T / s], s = |d ell / d z|^2, in which samples that are fitted already count as others do. K-FAC with
     * it is ieKFAC (Wu et al., An improved empirical Fisher approximation for natural gradient descent, 2024). A sample is
     * what one index of the first axis of a layer's output stands for, all its outputs together.
     *
     * @param floor the least s that is divided by, above 0
     */
    record Improved(double floor) implements LabelSource {
        public Improved {
            if (!(floor > 0)) {
                throw new KingfisherException("The least squared gradient to divide by is above 0, not " + floor + ".");
            }
        }

        @Override
        public List<Draw> draws(Gradients gradients) {
            return ImprovedEmpirical.draws(gradients, floor);
        }
    }

    /** Labels drawn from the model's own distribution: an unbiased estimate of the Fisher matrix (Martens and Grosse, 2015). */
    record MonteCarlo(int count) implements LabelSource {
        public MonteCarlo {
            positive("A Monte Carlo estimate", count);
        }

        @Override
        public List<Draw> draws(Gradients gradients) {
            return repeat(gradients, count, l -> l.sample(gradients.recording()));
        }
    }

    /** All columns of the root of the loss's Hessian: the exact Fisher and Gauss-Newton matrix, for C backward passes. */
    record Exact() implements LabelSource {
        @Override
        public List<Draw> draws(Gradients gradients) {
            List<Draw> draws = new ArrayList<>();
            for (int c = 0; c < gradients.likelihoods().get(0).rank(); c++) {
                int column = c;
                draws.add(new Draw(1, pull(gradients, l -> l.column(column))));
            }
            return draws;
        }
    }

    /**
     * Columns of that root with random signs, added up: unbiased as {@link MonteCarlo}, with less variance (Martens et al.,
     * Estimating the Hessian by back-propagating curvature, 2012).
     */
    record CurvatureProp(int count) implements LabelSource {
        public CurvatureProp {
            positive("Curvature propagation", count);
        }

        @Override
        public List<Draw> draws(Gradients gradients) {
            return repeat(
                    gradients,
                    count,
                    l -> l.root(gradients
                            .recording()
                            .random(
                                    Random.Distribution.RADEMACHER,
                                    l.prediction().shape())));
        }
    }

    private static List<Draw> repeat(Gradients gradients, int count, Function<Likelihood, Value> seed) {
        List<Draw> draws = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            draws.add(new Draw(1.0 / count, pull(gradients, seed)));
        }
        return draws;
    }

    private static Map<Capture, Value> pull(Gradients gradients, Function<Likelihood, Value> seed) {
        return gradients.pull(gradients.likelihoods().stream().map(seed).toList());
    }

    private static void positive(String what, int count) {
        if (count < 1) {
            throw new KingfisherException(what + " takes at least 1 draw, not " + count + ".");
        }
    }
}
