package io.kingfisher.optimizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.schedule.Schedule;
import io.kingfisher.optimizers.schedule.Schedules;
import io.kingfisher.runtime.KingfisherException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Which parameters change, with which learning rate, and what is refused. */
class ParameterGroupsTest {
    @ParameterizedTest
    @MethodSource("io.kingfisher.optimizers.Makers#all")
    void everyTrainableParameterMovesAndFrozenOnesStay(Maker maker) {
        for (TestNet.Kind kind : TestNet.Kind.values()) {
            for (boolean weight : new boolean[] {true, false}) {
                try (TestNet net = TestNet.of(kind, 1)) {
                    // Freezes all weights but a norm's, or all biases, so that captures are left with half their
                    // parameters.
                    List<Parameter> all = net.model().parameters();
                    all.forEach(p -> p.trainable(weight == (p.shape().rank() == 1)));
                    net.compile(maker.make(net), false);
                    Map<Parameter, double[]> before = net.parameters();
                    // Some methods only look at the first gradients.
                    net.step();
                    net.step();
                    before.forEach((p, values) -> {
                        boolean moved = !Arrays.equals(values, p.tensor().doubles());
                        assertEquals(p.trainable(), moved, kind + " " + p.path());
                    });
                }
            }
        }
    }

    @Test
    void parameterWithoutGroupIsNamed() {
        try (TestNet net = TestNet.of(TestNet.Kind.TRANSFORMER, 1)) {
            List<Parameter> some = net.model().parameters().stream()
                    .filter(p -> !p.path().endsWith("out_proj.bias"))
                    .toList();
            Optimizer optimizer = Makers.SGD.make(net, List.of(new ParameterGroup(some, 0.1, 0)), new Clipping.None());
            String message = assertThrows(KingfisherException.class, () -> net.compile(optimizer, false))
                    .getMessage();
            assertTrue(message.contains("The parameter 1.body.1.out_proj.bias takes part"), message);
            assertTrue(message.contains("freeze"), message);
        }
    }

    @Test
    void parameterInTwoGroupsIsNamed() {
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 1)) {
            Parameter twice = net.model().parameters().get(1);
            List<ParameterGroup> groups = List.of(
                    new ParameterGroup(net.model().parameters(), 0.1, 0), new ParameterGroup(List.of(twice), 0.1, 0));
            int live = net.device().live();
            String message = assertThrows(
                            KingfisherException.class, () -> Makers.ADAM_W.make(net, groups, new Clipping.None()))
                    .getMessage();
            assertTrue(message.contains(twice.path() + " is in two groups"), message);
            assertEquals(live, net.device().live());
        }
    }

    @Test
    void parameterThatTheLossDoesNotSeeIsNamed() {
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 1);
                TestNet other = TestNet.of(TestNet.Kind.CONV, 1)) {
            Optimizer optimizer = Makers.SGD.make(
                    net,
                    List.of(
                            new ParameterGroup(net.model().parameters(), 0.1, 0),
                            new ParameterGroup(
                                    List.of(other.model().parameters().get(3)), 0.1, 0)),
                    new Clipping.None());
            String message = assertThrows(KingfisherException.class, () -> net.compile(optimizer, false))
                    .getMessage();
            assertTrue(message.contains(other.model().parameters().get(3).path() + " is in a group"), message);
        }
    }

    @Test
    void learningRatesAndDecaysAreNumbers() {
        for (double bad : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThrows(KingfisherException.class, () -> new ParameterGroup(List.of(), bad, 0));
            assertThrows(KingfisherException.class, () -> new ParameterGroup(List.of(), 0.1, bad));
        }
    }

    /** Each group follows its own schedule and decay, and the program is compiled once. */
    @Test
    void groupsHaveTheirOwnRateDecayAndSchedule() {
        try (TestNet net = TestNet.of(TestNet.Kind.MLP, 1)) {
            List<Parameter> all = net.model().parameters();
            List<ParameterGroup> groups = List.of(
                    new ParameterGroup(all.subList(0, 1), 0.1, 0.3), new ParameterGroup(all.subList(1, 3), 0.02, 0));
            Optimizer optimizer = new Sgd(net.device(), groups, new Sgd.Config(0, 0, false), new Clipping.None());
            net.compile(optimizer, true);
            int live = net.device().live();
            Schedule halving = Schedules.step(3, 0.5);
            Map<Parameter, double[]> p = net.parameters();
            for (int t = 1; t <= 10; t++) {
                double[] rates = {halving.at(0.1, t - 1), 0.02 * t};
                for (int k = 0; k < 2; k++) {
                    optimizer.learningRate(k, rates[k]);
                    assertEquals(rates[k], optimizer.learningRate(k));
                }
                net.step();
                for (int k = 0; k < 2; k++) {
                    for (Parameter parameter : groups.get(k).parameters()) {
                        double[] values = p.get(parameter), g = net.gradient(parameter);
                        for (int i = 0; i < g.length; i++) {
                            values[i] -= rates[k] * (g[i] + groups.get(k).weightDecay() * values[i]);
                        }
                    }
                }
                SideBySide.compare(p, t);
            }
            assertEquals(live, net.device().live());
        }
    }

    @Test
    void closingFreesTheState() {
        try (TestNet net = TestNet.of(TestNet.Kind.TIED, 1)) {
            int live = net.device().live();
            Optimizer optimizer = Makers.RELATIVE.make(net);
            net.compile(optimizer, false);
            assertFalse(optimizer.state().tensors().isEmpty());
            optimizer.close();
            // The two programs are the net's.
            assertEquals(live + 2, net.device().live());
        }
    }

    @Test
    void aRateOfZeroChangesNothing() {
        for (Maker maker : Makers.all()) {
            try (TestNet net = TestNet.of(TestNet.Kind.MLP, 1)) {
                net.compile(maker.make(net, net.group(0, 0.1), new Clipping.None()), false);
                Map<Parameter, double[]> before = net.parameters();
                net.step();
                before.forEach(
                        (p, values) -> assertArrayEquals(values, p.tensor().doubles(), 0, p.path()));
            }
        }
    }
}
