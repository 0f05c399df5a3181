package io.kingfisher.optimizers.exact;

import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Likelihood;
import io.kingfisher.layers.Loss;
import io.kingfisher.layers.LossValue;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Recording;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/**
 * Writes out the Jacobians, Fisher matrices and Hessian of a model with at most {@value #MOST} parameters, one product with a
 * unit vector at a time. On the device {@code reference} every number is made in double precision; parameters themselves are
 * F32. Layers see the batch as they do in training, and change nothing.
 */
public final class DenseModel implements AutoCloseable {
    /** The parameters that a model may have. */
    public static final int MOST = 2000;

    private final List<Parameter> parameters;
    private final int size;
    private final Tensor random;
    private final Program base, pull, blocks, curve;
    private final int rows, outputs, samples;

    /** What is recorded of the forward pass. */
    private record Forward(Graph graph, Recording recording, LossValue loss, Likelihood likelihood) {
        Value prediction() {
            return likelihood.prediction();
        }
    }

    /**
     * @param device the model's
     * @param input the type of a batch, its leading axis being the samples
     * @param target the type of its targets
     * @throws KingfisherException where the model is too large
     */
    public DenseModel(Device device, Layer model, Loss loss, Type input, Type target) {
        parameters = model.parameters().stream().filter(Parameter::trainable).toList();
        long count = parameters.stream().mapToLong(p -> p.shape().elements()).sum();
        if (count < 1 || count > MOST) {
            throw new KingfisherException("Curvature is written out for models with 1 to " + MOST + " parameters, not "
                    + count + "; use the methods that approximate it.");
        }
        size = (int) count;
        samples = Math.toIntExact(input.shape().dim(0));
        random = device.allocate(DType.I32, Shape.of(4));
        Forward first = forward(model, loss, input, target);
        outputs = Math.toIntExact(first.likelihood().rank());
        rows = Math.toIntExact(first.prediction().shape().elements() / outputs);
        first.graph().output("loss", wide(first.loss().mean()));
        first.graph().output("count", wide(first.likelihood().count()));
        first.graph()
                .output(
                        "residual",
                        wide(Autodiff.gradients(first.loss().mean(), List.of(first.prediction()))
                                .get(0)));
        base = device.compile(first.graph());
        pull = seeded(device, model, loss, input, target, (f, seed) -> {
            List<Value> found = Autodiff.vjp(List.of(f.prediction()), List.of(seed), values(f));
            return List.of(flat(f.graph(), found));
        });
        blocks = seeded(
                device,
                model,
                loss,
                input,
                target,
                (f, seed) -> List.of(
                        f.likelihood().hessian(seed),
                        Autodiff.hessianVectorProduct(f.loss().mean(), List.of(f.prediction()), List.of(seed))
                                .get(0)));
        Forward last = forward(model, loss, input, target);
        Value vector = last.graph().input("v", DType.F64, size);
        List<Value> parts = new ArrayList<>();
        long at = 0;
        for (Parameter p : parameters) {
            Value part = vector.slice(0, at, at + p.shape().elements()).cast(DType.F32);
            parts.add(part.reshape(p.shape()));
            at += p.shape().elements();
        }
        Value product =
                flat(last.graph(), Autodiff.hessianVectorProduct(last.loss().mean(), values(last), parts));
        last.graph().output("product", wide(product));
        curve = device.compile(last.graph());
    }

    private Forward forward(Layer model, Loss loss, Type input, Type target) {
        Graph graph = new Graph();
        Recording r = Recording.of(graph, Recording.Mode.PROBE, random);
        Value x = graph.input("x", input), y = graph.input("y", target);
        LossValue value = loss.apply(r, model.apply(r, x), y);
        return new Forward(graph, r, value, value.likelihoods().get(0));
    }

    /** A program that makes something of a seed of the prediction's shape. */
    private Program seeded(
            Device device,
            Layer model,
            Loss loss,
            Type input,
            Type target,
            BiFunction<Forward, Value, List<Value>> results) {
        Forward f = forward(model, loss, input, target);
        Value seed = f.graph().input("seed", f.prediction().type());
        List<Value> made = results.apply(f, seed);
        for (int i = 0; i < made.size(); i++) {
            f.graph().output("product" + i, wide(made.get(i)));
        }
        return device.compile(f.graph());
    }

    private List<Value> values(Forward f) {
        return parameters.stream().map(f.recording()::value).toList();
    }

    private static Value flat(Graph graph, List<Value> parts) {
        return graph.concat(
                0, parts.stream().map(v -> v.reshape(v.shape().elements())).toList());
    }

    private static Value wide(Value v) {
        return v.cast(DType.F64);
    }

    /** The parameters, whose elements in this order are the columns of all matrices. */
    public List<Parameter> parameters() {
        return parameters;
    }

    /** Everything but the Hessian, for a batch of the shapes given. */
    public DenseCurvature at(double[] x, double[] y) {
        for (Program program : List.of(base, pull, blocks)) {
            program.input("x").write(x);
            program.input("y").write(y);
        }
        base.replay();
        double count = base.output("count").item();
        double[] residual = base.output("residual").doubles();
        for (int i = 0; i < residual.length; i++) {
            residual[i] *= count;
        }
        double[][] jacobian = new double[rows * outputs][];
        double[] seed = new double[rows * outputs];
        for (int i = 0; i < seed.length; i++) {
            seed[i] = 1;
            pull.input("seed").write(seed);
            pull.replay();
            jacobian[i] = pull.output("product0").doubles();
            seed[i] = 0;
        }
        double[][][] fisher = new double[rows][outputs][outputs], hessian = new double[rows][outputs][outputs];
        for (int c = 0; c < outputs; c++) {
            for (int r = 0; r < rows; r++) {
                seed[r * outputs + c] = 1;
            }
            blocks.input("seed").write(seed);
            blocks.replay();
            double[] f = blocks.output("product0").doubles(),
                    h = blocks.output("product1").doubles();
            for (int r = 0; r < rows; r++) {
                seed[r * outputs + c] = 0;
                for (int k = 0; k < outputs; k++) {
                    fisher[r][k][c] = f[r * outputs + k];
                    hessian[r][k][c] = h[r * outputs + k] * count;
                }
            }
        }
        return new DenseCurvature(
                outputs, rows / samples, count, base.output("loss").item(), jacobian, residual, fisher, hessian);
    }

    /** The Hessian of the mean loss [P x P], a Hessian-vector product for each column. */
    public double[][] hessian(double[] x, double[] y) {
        curve.input("x").write(x);
        curve.input("y").write(y);
        double[][] result = new double[size][];
        double[] unit = new double[size];
        for (int i = 0; i < size; i++) {
            unit[i] = 1;
            curve.input("v").write(unit);
            curve.replay();
            result[i] = curve.output("product").doubles();
            unit[i] = 0;
        }
        return result;
    }

    @Override
    public void close() {
        for (Program program : List.of(base, pull, blocks, curve)) {
            program.close();
        }
        random.close();
    }
}
