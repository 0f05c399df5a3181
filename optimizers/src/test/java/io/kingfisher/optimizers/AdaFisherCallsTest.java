package io.kingfisher.optimizers;

import io.kingfisher.layers.Activation;
import io.kingfisher.layers.BatchNorm2d;
import io.kingfisher.layers.Conv2d;
import io.kingfisher.layers.CrossEntropy;
import io.kingfisher.layers.Flatten;
import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.LossValue;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Sequential;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.cuda.GoldenCalls;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What AdaFisher's steps ask of a GPU's driver, with and without a refresh of the curvature. */
class AdaFisherCallsTest {
    private static Program record(GoldenCalls calls, Layer model, Optimizer optimizer, Optimizer.Cadence cadence) {
        Graph graph = new Graph();
        Value x = graph.input("x", DType.F32, 4, 2, 6, 5), y = graph.input("y", DType.I32, 4);
        Recording r = Recording.train(graph);
        LossValue loss = new CrossEntropy().apply(r, model.apply(r, x), y);
        Gradients gradients = r.gradients(loss);
        graph.output("loss", loss.mean());
        optimizer.record(gradients, cadence);
        return calls.device().compile(graph);
    }

    @Test
    void stepAndRefresh() throws IOException {
        GoldenCalls calls = new GoldenCalls();
        Layer model = new Sequential(
                new Conv2d(2, 3, 3, 1, 1),
                new BatchNorm2d(3),
                Activation.relu(),
                new Flatten(),
                new Linear(3 * 6 * 5, 8),
                Activation.relu(),
                new Linear(8, 5));
        model.initialize(calls.device(), 1);
        Optimizer optimizer =
                Makers.RELEASED.make(calls.device(), List.of(new ParameterGroup(model.parameters(), 1e-3, 1e-2)));
        Program step = record(calls, model, optimizer, Optimizer.Cadence.STEP);
        calls.compiled("a step of AdaFisher", step);
        Program refresh = record(calls, model, optimizer, Optimizer.Cadence.REFRESH);
        calls.compiled("a step of AdaFisher with a refresh", refresh);
        calls.replay("a step", step, () -> step.input("x").fill(1));
        calls.replay("a step with a refresh", refresh, () -> refresh.input("x").fill(1));
        calls.compare(AdaFisherCallsTest.class, "adafisher.txt");
    }
}
