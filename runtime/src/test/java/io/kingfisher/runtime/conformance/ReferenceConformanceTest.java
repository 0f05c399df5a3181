package io.kingfisher.runtime.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.conformance.Case.Observation;
import io.kingfisher.runtime.graph.Fused;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Source;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.reference.ReferenceDevice;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The suite on the reference device itself, where that says something: tolerances, names, and fused ops against expansions. */
class ReferenceConformanceTest {
    /** A device that computes well but rounds must pass; a double of the rounding reference is too short for one that does. */
    @TestFactory
    Stream<DynamicTest> roundingIsTolerated() {
        return Conformance.cases().stream()
                .map(one -> DynamicTest.dynamicTest(one.name(), () -> {
                    try (Device device = new ReferenceDevice(!one.name().contains("F64"))) {
                        Result result = one.run(device);
                        assertTrue(result.passed(), result.message());
                        assertEquals(0, device.live());
                    }
                }));
    }

    @Test
    void namesDiffer() {
        Set<String> names = new HashSet<>();
        List<String> twice = Conformance.cases().stream()
                .map(Case::name)
                .filter(name -> !names.add(name))
                .toList();
        assertEquals(List.of(), twice);
    }

    /** Fused ops, their gradients and second derivatives, are what their expansions are. */
    @TestFactory
    Stream<DynamicTest> fusedOpsAreTheirExpansions() {
        return Conformance.specs(DType.F64).stream()
                .filter(ReferenceConformanceTest::fused)
                .map(spec -> DynamicTest.dynamicTest(spec.toString(), () -> {
                    expand(spec, spec.tolerance(), r -> spec.function().record(r.graph, spec.inputs(r)));
                    if (spec.orders() > 0) {
                        expand(
                                spec,
                                spec.tolerance().times(16),
                                r -> spec.gradient(r, spec.inputs(r)).gradients());
                    }
                }));
    }

    private interface Values {
        List<Value> record(Recording recording);
    }

    private static void expand(Spec spec, Tolerance tolerance, Values values) {
        try (Device device = new ReferenceDevice()) {
            Map<String, Observation> fused = Observation.run(device, r -> outputs(r.graph, values.record(r)), 1);
            Map<String, Observation> expanded = Observation.run(
                    device,
                    r -> {
                        // Recorded elsewhere with the same inputs, then copied with the fused ops expanded.
                        List<Value> results = values.record(r);
                        outputs(r.graph, expand(r.graph, results));
                    },
                    1);
            fused.forEach((name, want) -> {
                double[] got = expanded.get(name).values();
                var error = tolerance.compare(want, got, want.values());
                assertTrue(error.size() <= 1, () -> spec + " " + name + ": " + error);
            });
        }
    }

    private static void outputs(Graph g, List<Value> values) {
        for (int i = 0; i < values.size(); i++) {
            g.output("y" + i, values.get(i));
        }
    }

    /** The same values with every fused op expanded, recorded behind them. */
    private static List<Value> expand(Graph g, List<Value> results) {
        Map<Value, Value> copies = new HashMap<>();
        for (Node node : List.copyOf(g.nodes())) {
            List<Value> inputs = node.inputs().stream().map(copies::get).toList();
            List<Value> outputs = switch (node.op()) {
                case Source _ -> node.outputs();
                case Fused fused -> fused.expand(inputs);
                default -> g.add(node.op(), inputs).outputs();
            };
            for (int i = 0; i < outputs.size(); i++) {
                copies.put(node.output(i), outputs.get(i));
            }
        }
        List<Value> expanded = new ArrayList<>();
        results.forEach(result -> expanded.add(copies.get(result)));
        return expanded;
    }

    private static boolean fused(Spec spec) {
        try (Device device = new ReferenceDevice();
                Recording r = new Recording(device, one -> spec.function().record(one.graph, spec.inputs(one)), 1)) {
            return r.graph.nodes().stream().anyMatch(node -> node.op() instanceof Fused);
        }
    }
}
