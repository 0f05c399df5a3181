package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertFalse;

import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.curvature.Polar;
import io.kingfisher.optimizers.curvature.Roots;
import io.kingfisher.optimizers.shampoo.DistributedShampoo;
import io.kingfisher.optimizers.shampoo.DistributedShampoo.Graft;
import io.kingfisher.optimizers.shampoo.Jorge;
import io.kingfisher.optimizers.shampoo.Muon;
import io.kingfisher.optimizers.shampoo.Shampoo;
import io.kingfisher.optimizers.shampoo.Soap;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A hundred steps of Shampoo and its kin beside references in double precision, from two seeds. */
class ShampooTrajectoryTest {
    private static void run(
            TestNet.Kind kind,
            int seed,
            Function<TestNet, Optimizer> maker,
            Function<Optimizer, ReferenceShampoo.Rule> reference) {
        try (TestNet net = TestNet.of(kind, seed)) {
            Optimizer optimizer = maker.apply(net);
            net.compile(optimizer, true);
            ReferenceShampoo.Rule rule = reference.apply(optimizer);
            Map<Parameter, double[]> p = net.parameters(), start = net.parameters();
            for (int t = 1; t <= 100; t++) {
                net.step();
                int step = t;
                p.forEach((parameter, values) -> rule.step(
                        parameter.path(), parameter.shape().toArray(), values, net.gradient(parameter), step));
                SideBySide.compare(p, t);
            }
            start.forEach((parameter, values) ->
                    assertFalse(Arrays.equals(values, p.get(parameter)), parameter.path() + " did not move"));
        }
    }

    /** Kernels as tensors of four axes or as matrices; axes of more than {@code largest} by their diagonals. */
    @ParameterizedTest
    @CsvSource({
        "MLP, 1, 1, 100, false",
        "CONV, 2, 1, 40, false",
        "CONV, 1, 0.9, 100, true",
        "TRANSFORMER, 2, 1, 10, false"
    })
    void shampoo(TestNet.Kind kind, int seed, double averaged, long largest, boolean matrices) {
        Shampoo.Config config = new Shampoo.Config(0.1, averaged, 0.9, 2, 6, largest, matrices);
        run(
                kind,
                seed,
                net -> new Shampoo(net.device(), net.group(0.01, 1e-2), config, new Clipping.None()),
                _ -> ReferenceShampoo.shampoo(config, 0.01, 1e-2));
    }

    @ParameterizedTest
    @CsvSource({
        "MLP, 1, SGD, EIGEN, true",
        "MLP, 2, ADAM, COUPLED_NEWTON, true",
        "CONV, 1, ADAM, EIGEN, true",
        "CONV, 2, ADAGRAD, EIGEN, false"
    })
    void distributedShampoo(
            TestNet.Kind kind, int seed, Graft graft, DistributedShampoo.RootMethod method, boolean merge) {
        DistributedShampoo.Config config = new DistributedShampoo.Config(
                0.9,
                seed == 1 ? 0.95 : 1,
                0.5,
                seed == 1,
                8,
                merge,
                new Roots.Ridge(1e-2, true),
                method,
                0,
                2,
                10,
                5,
                new DistributedShampoo.Grafting(graft, 0.99, 1e-2),
                seed == 1);
        run(
                kind,
                seed,
                net -> new DistributedShampoo(net.device(), net.group(0.01, 1e-2), config, new Clipping.None()),
                _ -> ReferenceShampoo.distributed(config, 0.01, 1e-2));
    }

    @ParameterizedTest
    @CsvSource({"MLP, 1, true, false", "MLP, 2, false, true", "CONV, 1, false, false", "TRANSFORMER, 2, false, false"})
    void soap(TestNet.Kind kind, int seed, boolean vectors, boolean normalize) {
        // A vector's second moment needs as many gradients as it has elements before its eigenvectors are determined.
        Soap.Config config = new Soap.Config(0.9, 0.95, 0.9, 0.05, vectors ? 12 : 5, 40, vectors, normalize);
        run(
                kind,
                seed,
                net -> new Soap(net.device(), net.group(0.01, 1e-2), config, new Clipping.None()),
                optimizer -> new ReferenceSoap(
                        config,
                        0.01,
                        1e-2,
                        name -> optimizer.state().tensors().get(name).doubles()));
    }

    @ParameterizedTest
    @CsvSource({"MLP, 1, 2, true", "MLP, 2, 2, false", "CONV, 1, 2, true", "CONV, 2, 3, true"})
    void jorge(TestNet.Kind kind, int seed, int terms, boolean symmetric) {
        // What is not symmetric drifts, and takes rounding errors along.
        Jorge.Config config = new Jorge.Config(0.9, 1e-2, 1e-2, terms, symmetric, symmetric ? 2 : 4, 40);
        run(
                kind,
                seed,
                net -> new Jorge(net.device(), net.group(0.01, 1e-2), config, new Clipping.None()),
                _ -> ReferenceShampoo.jorge(config, 0.01, 1e-2));
    }

    @ParameterizedTest
    @EnumSource
    void muon(Muon.Scale scale) {
        Muon.Config config =
                new Muon.Config(0.95, true, Polar.fast(5), scale, new Adam.Config(0.9, 0.95, 1e-4, true), 0.5);
        boolean first = scale == Muon.Scale.SPECTRAL;
        run(
                first ? TestNet.Kind.MLP : TestNet.Kind.CONV,
                first ? 1 : 2,
                net -> new Muon(net.device(), net.group(0.005, 1e-2), config, new Clipping.None()),
                _ -> ReferenceShampoo.muon(
                        config, 0.005, 1e-2, first ? Set.of("0.weight") : Set.of("0.weight", "3.weight")));
    }
}
