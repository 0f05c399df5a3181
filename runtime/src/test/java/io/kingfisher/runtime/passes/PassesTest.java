package io.kingfisher.runtime.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.conformance.Conformance;
import io.kingfisher.runtime.conformance.GraphFuzzer;
import io.kingfisher.runtime.conformance.Result;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Map;
import io.kingfisher.runtime.graph.MatMul;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Node;
import io.kingfisher.runtime.graph.Op;
import io.kingfisher.runtime.graph.Random;
import io.kingfisher.runtime.graph.Reduce;
import io.kingfisher.runtime.graph.Source;
import io.kingfisher.runtime.graph.Value;
import io.kingfisher.runtime.reference.OptimizingReference;
import io.kingfisher.runtime.reference.ReferenceDevice;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PassesTest {
    private final Graph graph = new Graph();

    private Value input(String name, long... extents) {
        return graph.input(name, DType.F32, extents);
    }

    private static List<Node> computing(Graph graph) {
        return graph.nodes().stream()
                .filter(node -> !(node.op() instanceof Source))
                .toList();
    }

    private List<Node> optimized(Value... outputs) {
        for (Value output : outputs) {
            graph.output("y" + graph.outputs().size(), output);
        }
        return computing(Passes.optimize(graph));
    }

    private static long count(List<Node> nodes, Class<? extends Op> op) {
        return nodes.stream().filter(node -> op.isInstance(node.op())).count();
    }

    @Test
    void randomProgramsComputeTheSame() {
        List<Result> failures = new ArrayList<>();
        try (OptimizingReference device = new OptimizingReference()) {
            GraphFuzzer.run(device, 0, 400, result -> {
                if (!result.passed()) {
                    failures.add(result);
                }
            });
        }
        assertTrue(failures.isEmpty(), failures::toString);
    }

    @Test
    void everyOpComputesTheSame() {
        List<Result> failures = new ArrayList<>();
        try (OptimizingReference device = new OptimizingReference()) {
            Conformance.run(device, result -> {
                if (!result.passed()) {
                    failures.add(result);
                }
            });
        }
        assertTrue(failures.isEmpty(), failures::toString);
    }

    @Test
    void whatNothingNeedsGoesButInputsStay() {
        Value x = input("x", 3), unused = input("unused", 4);
        unused.exp();
        List<Node> nodes = optimized(x.exp());
        assertEquals(1, nodes.size());
        assertEquals(
                List.of("x", "unused"),
                List.copyOf(nodes.get(0).graph().inputs().keySet()));
    }

    @Test
    void repeatedNodesAreMadeOnce() {
        Value x = input("x", 4, 4);
        Value a = x.matmul(x).matmul(x), b = x.matmul(x).matmul(x);
        List<Node> nodes = optimized(a.exp().matmul(x), b.exp().matmul(x));
        assertEquals(3, count(nodes, MatMul.class));
        assertEquals(1, count(nodes, Map.class));
    }

    @Test
    void randomNumbersOfOneStreamAreDrawnOnce() {
        Value state = graph.input("state", DType.I32, 4);
        Value a = graph.random(Random.Distribution.UNIFORM, state, 1, Shape.of(5));
        Value b = graph.random(Random.Distribution.UNIFORM, state, 1, Shape.of(5));
        Value c = graph.random(Random.Distribution.UNIFORM, state, 2, Shape.of(5));
        assertEquals(2, count(optimized(a, b, c), Random.class));
    }

    @Test
    void sharedExpressionsAreComparedInLinearTime() {
        Expr e = Expr.arg(0);
        for (int i = 0; i < 60; i++) {
            e = e.mul(0.5).add(e.square());
        }
        Value x = input("x", 2);
        assertEquals(1, count(optimized(x.map(e), x.map(e)), Map.class));
    }

    @Test
    void chainsBecomeOneNode() {
        Value x = input("x", 8, 5), bias = input("bias", 5);
        Value y = x.add(bias).tanh().mul(2).add(x).sigmoid();
        List<Node> nodes = optimized(y);
        assertEquals(1, nodes.size());
        assertEquals(2, nodes.get(0).inputs().size());
    }

    @Test
    void aCheapValueIsComputedAgainAndADearOneStored() {
        Value x = input("x", 8, 5);
        Value cheap = x.add(1), dear = x.tanh();
        List<Node> nodes = optimized(
                cheap.matmul(cheap.t()),
                cheap.exp().sum(),
                dear.exp().sum(),
                dear.square().sum(0));
        Fusion fusion = Fusion.of(nodes.get(0).graph());
        long maps = nodes.stream()
                .filter(node -> node.op() instanceof Map && !fusion.absorbed(node))
                .count();
        assertEquals(2, maps, nodes::toString);
    }

    @Test
    void broadcastsAndConstantsDisappearIntoMaps() {
        Value x = input("x", 8, 5), row = input("row", 5);
        Value y = x.mul(row.broadcastTo(Shape.of(8, 5))).add(graph.ones(DType.F32, Shape.of(8, 5)));
        List<Node> nodes = optimized(y);
        assertEquals(1, nodes.size());
        assertEquals(2, nodes.get(0).inputs().size());
        Expr expected = Expr.arg(0).mul(Expr.arg(1)).add(1);
        assertEquals(List.of(expected), ((Map) nodes.get(0).op()).results());
    }

    @Test
    void aBroadcastThatGivesTheShapeStays() {
        Value row = input("row", 5);
        List<Node> nodes = optimized(row.broadcastTo(Shape.of(8, 5)).exp());
        assertEquals(Shape.of(8, 5), nodes.getLast().output(0).shape());
    }

    @Test
    void constantsFold() {
        Value two = graph.fill(2, DType.F32, Shape.of(3, 4));
        Graph result = result(two.mul(3).add(two).sum().reshape(1, 1).broadcastTo(Shape.of(2, 2)));
        assertEquals(0, computing(result).size());
        assertEquals(
                new Source.Fill(io.kingfisher.runtime.graph.Type.of(DType.F32, 2, 2), 96),
                result.outputs().get("y").node().op());
    }

    private Graph result(Value output) {
        graph.output("y", output);
        return Passes.optimize(graph);
    }

    @Test
    void movementThatDoesNothingDisappears() {
        Value x = input("x", 3, 4);
        assertEquals(0, optimized(x.reshape(12).reshape(3, 4).t().t().detach()).size());
    }

    @Test
    void reshapesJoin() {
        assertEquals(1, count(optimized(input("x", 3, 4).reshape(12).reshape(2, 6)), Movement.Reshape.class));
    }

    @Test
    void aStoredMomentAndItsUpdateBecomeOneNode() {
        try (ReferenceDevice device = new ReferenceDevice()) {
            Tensor p = device.allocate(DType.F32, Shape.of(6)), m = device.allocate(DType.F32, Shape.of(6));
            Value g = input("g", 6);
            Value moment = graph.read(m).mul(0.9).add(g.mul(0.1));
            graph.assign(m, moment);
            graph.assign(p, graph.read(p).sub(moment.tanh().mul(0.01)));
            Graph result = Passes.optimize(graph);
            List<Node> nodes = computing(result);
            assertEquals(1, nodes.size(), nodes::toString);
            assertEquals(2, nodes.get(0).outputs().size());
            assertEquals(3, nodes.get(0).inputs().size());
        }
    }

    @Test
    void nodesThatReachEachOtherByAnotherWayStayApart() {
        Value x = input("x", 4, 4);
        Value a = x.exp();
        Value y = a.matmul(a).add(a);
        List<Node> nodes = optimized(a, y);
        assertEquals(2, count(nodes, Map.class));
        assertEquals(1, count(nodes, MatMul.class));
    }

    @Test
    void roundingBetweenTypesStays() {
        Value x = input("x", 4);
        Value y = x.mul(3).cast(DType.I32).cast(DType.F32).mul(0.5);
        assertEquals(2, count(optimized(y), Map.class));
    }

    @Test
    void reductionsTakeTheirExpressionsAlong() {
        Value x = input("x", 4, 5), y = input("y", 5);
        Value sum = x.mul(y).square().sum(0);
        Graph result = result(sum);
        Node reduce = result.outputs().get("y").node();
        Fusion fusion = Fusion.of(result);
        Fusion.Reduction reduction = fusion.reduction(reduce);
        assertTrue(fusion.absorbed(reduce.input(0).node()));
        assertEquals(2, reduction.inputs().size());
        assertEquals(Shape.of(4, 5), reduction.shape());
        assertEquals(List.of(0), reduction.op().axes());
        assertEquals(Reduce.Kind.SUM, reduction.op().kind());
    }

    @Test
    void updatesThatNothingReadsComeLast() {
        try (ReferenceDevice device = new ReferenceDevice()) {
            List<Tensor> parameters = new ArrayList<>();
            for (int i = 1; i < 4; i++) {
                Tensor p = device.allocate(DType.F32, Shape.of(i));
                parameters.add(p);
                graph.assign(p, graph.read(p).mul(0.5).exp());
            }
            Value loss = input("x", 3, 3).exp();
            graph.output("loss", loss.matmul(loss));
            Graph result = Passes.optimize(graph);
            Fusion fusion = Fusion.of(result);
            assertEquals(3, fusion.last().size());
            for (int i = 0; i < 3; i++) {
                assertSame(
                        result.assignments().get(parameters.get(i)).node(),
                        fusion.last().get(i));
            }
            assertFalse(fusion.absorbed(fusion.last().get(0)));
        }
    }
}
