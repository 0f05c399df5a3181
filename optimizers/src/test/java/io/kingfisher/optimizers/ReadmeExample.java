package io.kingfisher.optimizers;

import io.kingfisher.layers.Activation;
import io.kingfisher.layers.CrossEntropy;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.Recording;
import io.kingfisher.layers.Sequential;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Graph;
import java.util.EnumMap;
import java.util.List;
import java.util.Random;

/** Trains a network to say whether a point lies in a disc, and returns the share of the last batch it got right. */
final class ReadmeExample {
    private static final int BATCH = 256;

    static double train(int steps) {
        try (var device = Device.open("cpu");
                var model = new Sequential(new Linear(2, 32), Activation.tanh(), new Linear(32, 2))) {
            model.initialize(device, 1);
            var group = new ParameterGroup(model.parameters(), 1e-3, 0);
            var config = AdaFisherConfig.of(AdaFisherConfig.Mode.PAPER);
            try (var optimizer = new AdaFisher(device, List.of(group), config, new Clipping.None())) {
                // Record the whole step, once without and once with a refresh of the curvature.
                var programs = new EnumMap<Optimizer.Cadence, Program>(Optimizer.Cadence.class);
                for (var cadence : optimizer.cadences()) {
                    var graph = new Graph();
                    var recording = Recording.train(graph);
                    var x = graph.input("x", DType.F32, BATCH, 2);
                    var labels = graph.input("labels", DType.I32, BATCH);
                    var crossEntropy = new CrossEntropy();
                    var logits = model.apply(recording, x);
                    var gradients = recording.gradients(crossEntropy.apply(recording, logits, labels));
                    optimizer.record(gradients, cadence);
                    graph.output("correct", crossEntropy.correct(logits, labels, 1));
                    programs.put(cadence, device.compile(graph));
                }

                var random = new Random(1);
                double correct = 0;
                for (int step = 0; step < steps; step++) {
                    var points = new float[2 * BATCH];
                    var inside = new int[BATCH];
                    for (int i = 0; i < BATCH; i++) {
                        points[2 * i] = random.nextFloat(-1, 1);
                        points[2 * i + 1] = random.nextFloat(-1, 1);
                        inside[i] = Math.hypot(points[2 * i], points[2 * i + 1]) < 0.8 ? 1 : 0;
                    }
                    // Replay it: the hot path, which allocates nothing.
                    var program = programs.get(optimizer.advance());
                    program.input("x").write(points);
                    program.input("labels").write(inside);
                    program.replay();
                    optimizer.finish();
                    correct = program.output("correct").item();
                }
                return correct / BATCH;
            }
        }
    }
}
