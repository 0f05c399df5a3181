package io.kingfisher.optimizers.matrixfree;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Likelihood;
import io.kingfisher.layers.Parameter;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Source;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The loss of the last step's batch as a function of the parameters: the forward pass that the training step has recorded,
 * recorded once more in any graph. The training step leaves its inputs in tensors for that. Dropout drops the same elements,
 * as the state of the random numbers stays until the next step; batch norm takes the batch's own statistics; running ones and
 * other tensors that the step assigns are not touched. Weight decay is part of the loss: the sum of wd / 2 |p|^2.
 */
public final class BatchLoss implements AutoCloseable {
    private final Device device;
    private final Layout layout;
    private final Map<String, Tensor> inputs = new LinkedHashMap<>();
    private Gradients recorded;

    /** Of the trainable parameters of these groups, which are one vector [P] in the groups' order. */
    public BatchLoss(Device device, List<ParameterGroup> groups) {
        this.device = device;
        this.layout = new Layout(groups);
    }

    Layout layout() {
        return layout;
    }

    /** The number P of elements. */
    public long size() {
        return layout.size();
    }

    /** Lets the training step's replay end with its inputs kept. */
    public void hold(Gradients gradients) {
        recorded = gradients;
        Graph graph = gradients.loss().graph();
        graph.inputs()
                .forEach((name, value) -> graph.assign(
                        inputs.computeIfAbsent(name, _ -> device.allocate(value.dtype(), value.shape())), value));
    }

    /** Records the loss at the parameters as they are. */
    public At here(Graph graph) {
        return at(graph, parameter -> graph.read(parameter.tensor()));
    }

    /** Records the loss at the parameters moved by s times a vector, s being an F64 scalar. */
    public At moved(Value s, Value vector) {
        Graph graph = vector.graph();
        return at(graph, p -> Vectors.plus(graph.read(p.tensor()), s, layout.part(vector, p)));
    }

    private At at(Graph graph, Function<Parameter, Value> parameters) {
        Map<Tensor, Value> replaced = new LinkedHashMap<>();
        List<Value> values = new ArrayList<>();
        for (Parameter parameter : layout.parameters()) {
            Value value = parameters.apply(parameter);
            replaced.put(parameter.tensor(), value);
            values.add(value);
        }
        GraphCopy copy = new GraphCopy(graph, source -> switch (source) {
            case Source.Input input -> graph.read(inputs.get(input.name()));
            case Source.Bound bound ->
                replaced.containsKey(bound.tensor()) ? replaced.get(bound.tensor()) : graph.read(bound.tensor());
            case Source.Fill _, Source.Constant _ ->
                throw new IllegalArgumentException("a constant has no other source: " + source);
        });
        return new At(layout, withDecay(layout, copy.of(recorded.loss()), values), values, recorded, copy);
    }

    /** The loss with what the weight decay adds to it. */
    static Value withDecay(Layout layout, Value loss, List<Value> parameters) {
        List<Value> terms = new ArrayList<>(List.of(loss));
        for (int i = 0; i < parameters.size(); i++) {
            double decay = layout.decay(layout.parameters().get(i));
            if (decay != 0) {
                terms.add(parameters.get(i).square().sum().mul(decay / 2));
            }
        }
        return loss.graph().sum(terms);
    }

    /** The loss at one place. */
    public static final class At {
        private final Layout layout;
        private final Value loss;
        private final List<Value> parameters;
        private final Gradients recorded;
        private final GraphCopy copy;

        private At(Layout layout, Value loss, List<Value> parameters, Gradients recorded, GraphCopy copy) {
            this.layout = layout;
            this.loss = loss;
            this.parameters = parameters;
            this.recorded = recorded;
            this.copy = copy;
        }

        /** An F32 scalar, weight decay included. */
        public Value loss() {
            return loss;
        }

        private Value joined(List<Value> parts) {
            return layout.join(loss.graph(), p -> parts.get(layout.parameters().indexOf(p)));
        }

        private List<Value> parts(Value vector) {
            return layout.parameters().stream().map(p -> layout.part(vector, p)).toList();
        }

        /** The gradient [P]. */
        public Value gradient() {
            return joined(Autodiff.gradients(loss, parameters));
        }

        /** The Hessian times v. */
        public Value hessian(Value v) {
            return joined(Autodiff.hessianVectorProduct(loss, parameters, parts(v)));
        }

        /**
         * J^T H J v, J being the Jacobian of the predictions and H the loss's {@link Likelihood} matrix: the generalised
         * Gauss-Newton matrix, which is the Fisher matrix of the model. Weight decay adds wd v.
         */
        public Value gaussNewton(Value v) {
            List<Likelihood> likelihoods = likelihoods();
            List<Value> predictions =
                    likelihoods.stream().map(Likelihood::prediction).toList();
            List<Value> moved = Autodiff.jvp(predictions, parameters, parts(v)), seeds = new ArrayList<>();
            Value samples = samples();
            for (int i = 0; i < moved.size(); i++) {
                seeds.add(likelihoods.get(i).hessian(moved.get(i)).div(samples));
            }
            List<Value> pulled = Autodiff.vjp(predictions, seeds, parameters), vector = parts(v);
            return layout.join(loss.graph(), p -> {
                int i = layout.parameters().indexOf(p);
                double decay = layout.decay(p);
                return decay == 0
                        ? pulled.get(i)
                        : pulled.get(i).add(vector.get(i).mul(decay));
            });
        }

        /** J^T seed, summed over samples, for a seed at each prediction. */
        Value pull(List<Value> seeds) {
            List<Value> predictions =
                    likelihoods().stream().map(Likelihood::prediction).toList();
            return joined(Autodiff.vjp(predictions, seeds, parameters));
        }

        List<Likelihood> likelihoods() {
            return recorded.likelihoods().stream().map(l -> l.moved(copy::of)).toList();
        }

        /** The number of samples that count, at least 1. */
        Value samples() {
            Value count = loss.graph()
                    .sum(likelihoods().stream().map(Likelihood::count).toList());
            return count.max(loss.graph().scalar(1));
        }
    }

    @Override
    public void close() {
        inputs.values().forEach(Tensor::close);
    }
}
