package io.kingfisher.optimizers;

import io.kingfisher.optimizers.curvature.LabelSource;
import io.kingfisher.optimizers.sample.EmpiricalFisher;
import io.kingfisher.optimizers.sample.Mfac;
import io.kingfisher.optimizers.sample.NaturalGradient;
import io.kingfisher.optimizers.sample.SampledFisher;
import java.util.List;

/** The methods of {@code optimizers.sample}. */
final class SampleMakers {
    static final Maker EF = fisher("EF", EmpiricalFisher.Target.ONE);
    static final Maker IMPROVED = fisher("iEF", EmpiricalFisher.Target.SQUARED_RESIDUAL);
    static final Maker SF = rows("SF", new LabelSource.MonteCarlo(1), 1000);
    static final Maker SMW = rows("SMW-NG", new LabelSource.Empirical(), 4);
    /** A backward pass for each output: nets of texts have many. */
    static final Maker GAUSS_NEWTON = rows("SMW-GN", new LabelSource.Exact(), 4);

    static final Maker NATURAL = new Maker(
            "NGD",
            (device, groups, clipping) ->
                    new NaturalGradient(device, groups, new NaturalGradient.Config(0.05, 0), clipping));
    static final Maker MFAC = new Maker(
            "M-FAC", (device, groups, clipping) -> new Mfac(device, groups, new Mfac.Config(4, 0.05, 0.9), clipping));

    private SampleMakers() {}

    static List<Maker> all() {
        return List.of(EF, IMPROVED, SF, SMW, NATURAL, MFAC);
    }

    private static Maker fisher(String name, EmpiricalFisher.Target target) {
        return new Maker(
                name,
                (device, groups, clipping) ->
                        new EmpiricalFisher(device, groups, new EmpiricalFisher.Config(target, 0.1, 1, 0.5), clipping));
    }

    private static Maker rows(String name, LabelSource labels, long samples) {
        return new Maker(
                name,
                (device, groups, clipping) -> new SampledFisher(
                        device, groups, new SampledFisher.Config(labels, samples, 0.1, 0.5), clipping));
    }
}
