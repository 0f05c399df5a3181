package io.kingfisher.optimizers.kronecker;

import io.kingfisher.layers.Gradients;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.curvature.LayerMatrix;
import io.kingfisher.optimizers.curvature.Matrices;
import io.kingfisher.optimizers.curvature.Moments;
import io.kingfisher.optimizers.curvature.WeightedMoments;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;

/**
 * TEKFAC (Gao et al., Eigenvalue-corrected natural gradient based on a new approximation, 2020): EKFAC in the eigenbasis of
 * {@link Tkfac}'s factors. S begins as the eigenvalues of delta Phi (x) Psi.
 *
 * <p>The damping is EKFAC's, or relative to the mean of S; the paper's own is not known here.
 */
public final class Tekfac extends Ekfac {
    private final boolean relative;

    /** @param relative whether the damping is a share of the mean of S, layer by layer, and not a number */
    public Tekfac(
            Device device, List<ParameterGroup> groups, Ekfac.Config config, boolean relative, Clipping clipping) {
        super(device, groups, config, clipping);
        this.relative = relative;
    }

    @Override
    protected Moments.Pair moments(LayerMatrix layer, Gradients gradients, List<LabelSource.Draw> draws) {
        return WeightedMoments.of(layer, gradients, draws);
    }

    /** The eigenvalues of P (x) Q / delta, P and Q being delta Phi and delta Psi and delta their trace. */
    @Override
    protected Value start(Corrected c, Graph graph) {
        Value delta = Matrices.trace(c.g().read(graph)).max(graph.scalar(1e-30));
        return c.basis().eigenvalues(graph).div(delta);
    }

    @Override
    protected Value damping(Value s) {
        return relative ? s.mean(1, 2).reshape(s.dim(0), 1, 1).mul(config().damping()) : super.damping(s);
    }
}
