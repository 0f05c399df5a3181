package io.kingfisher.optimizers.own;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kingfisher.layers.Linear;
import io.kingfisher.layers.Recording;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Hyperparameters;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.Update;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Expr;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A user's own optimizer needs no more than what the module exports. */
class OwnOptimizerTest {
    /** Lion (Chen et al., 2023): the sign of a mean of gradients. */
    private static final class Lion extends Optimizer {
        Lion(Device device, List<ParameterGroup> groups) {
            super(device, groups, new Clipping.None());
        }

        @Override
        protected void update(Update u, ParameterGroup group) {
            Expr p = u.parameter(), g = u.gradient();
            Update.Slot slot = u.state("exp_avg");
            Expr m = slot.value();
            Expr sign = m.mul(0.9).add(g.mul(0.1)).sign();
            u.set(slot, m.mul(0.99).add(g.mul(0.01)));
            u.setParameter(p.sub(u.scalar(Hyperparameters.RATE).mul(sign.add(p.mul(group.weightDecay())))));
        }
    }

    @Test
    void lion() {
        try (Device device = Device.open("cpu")) {
            Linear layer = new Linear(2, 1, false);
            layer.initialize(device, 1);
            layer.weight().tensor().write(new float[] {1, -2});
            Optimizer optimizer = new Lion(device, List.of(new ParameterGroup(layer.parameters(), 0.5, 0.25)));
            Graph graph = new Graph();
            Recording r = Recording.train(graph);
            Value y = layer.apply(r, graph.input("x", DType.F32, 1, 2));
            optimizer.record(r.gradients(y.sum()), Optimizer.Cadence.STEP);
            Program program = device.compile(graph);
            program.input("x").write(new float[] {3, -4});
            optimizer.advance();
            program.replay();
            assertEquals(1 - 0.5 * (1 + 0.25), layer.weight().tensor().get(0), 1e-6);
            assertEquals(-2 - 0.5 * (-1 - 0.5), layer.weight().tensor().get(1), 1e-6);
            assertEquals(0.03, optimizer.state().tensors().get("weight.exp_avg").get(0), 1e-6);
        }
    }
}
