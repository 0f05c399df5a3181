package io.kingfisher.optimizers.matrixfree;

import static io.kingfisher.optimizers.matrixfree.Vectors.dot;
import static io.kingfisher.optimizers.matrixfree.Vectors.item;
import static io.kingfisher.optimizers.matrixfree.Vectors.plus;
import static io.kingfisher.optimizers.matrixfree.Vectors.times;

import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;

/**
 * CurveBall (Henriques et al., ICCV 2019, algorithm 1): momentum z that follows one step of a solver for the Newton direction.
 * With H the batch's Gauss-Newton matrix and lambda on its diagonal, dz = H z + g; z = rho z - beta dz; p = p + lr z. The
 * multiples beta and rho minimise the quadratic model in the plane of dz and z (section 3.2). Every few steps lambda follows how
 * well that model told the loss, by the authors' rule.
 */
public final class CurveBall extends MatrixFreeOptimizer {
    /**
     * @param damping lambda at the start, above 0
     * @param factor what lambda changes by for each step, from above 0 to 1
     * @param interval steps between changes of lambda, which changes by factor^interval; each costs one more forward pass
     */
    public record Config(double damping, double factor, int interval) {
        public Config {
            if (!(damping > 0) || !(factor > 0 && factor <= 1) || interval < 1) {
                throw new KingfisherException(
                        "CurveBall needs a damping above 0, a factor from above 0 to 1 and an interval"
                                + " of at least 1, not " + damping + ", " + factor + " and " + interval + ".");
            }
        }

        /** The published settings; their learning rate is 1. */
        public static Config usual() {
            return new Config(1, 0.999, 5);
        }
    }

    private final Config config;
    private final Tensor damping;
    private Tensor z, change, hz, beta, rho;

    public CurveBall(Device device, List<ParameterGroup> groups, Config config, Clipping clipping) {
        super(device, groups, clipping);
        this.config = config;
        damping = state().tensor("damping", DType.F64, Shape.SCALAR, config.damping());
    }

    @Override
    void allocate(long size) {
        z = state().tensor("z", DType.F32, Shape.of(size), 0);
        change = vector();
        hz = vector();
        beta = scalar(DType.F64);
        rho = scalar(DType.F64);
    }

    private Value damped(Graph graph, Tensor vector) {
        Value v = graph.read(vector);
        return plus(batch().here(graph).gaussNewton(v), graph.read(damping), v);
    }

    @Override
    void find() {
        programs().run("change", graph -> {
            Value image = damped(graph, z);
            graph.assign(hz, image);
            graph.assign(change, image.add(graph.read(gradient())));
        });
        Program products = programs().run("products", graph -> {
            Value d = graph.read(change), v = graph.read(z), g = graph.read(gradient());
            Value hd = damped(graph, change), hv = graph.read(hz);
            graph.output("dHd", dot(d, hd));
            graph.output("dHz", dot(d, hv));
            graph.output("zHz", dot(v, hv));
            graph.output("gd", dot(g, d));
            graph.output("gz", dot(g, v));
        });
        var plane = StepControl.Plane.minimum(
                item(products, "dHd"),
                item(products, "dHz"),
                item(products, "zHz"),
                item(products, "gd"),
                item(products, "gz"));
        beta.set(0, plane.x());
        rho.set(0, plane.y());
        programs().run("move", graph -> {
            Value next = plus(times(graph.read(rho), graph.read(z)), graph.read(beta), graph.read(change));
            graph.assign(z, next);
            graph.assign(direction(), next);
        });
        if (step() % config.interval() == 0 && plane.change() < 0) {
            adapt((lossAt(1) - loss()) / plane.change());
        }
    }

    /** Less damping where the loss fell by more than the model said, more where by less. */
    private void adapt(double ratio) {
        double factor = Math.pow(config.factor(), config.interval());
        double before = damping.item();
        damping.set(0, ratio > 1.5 ? before * factor : ratio >= 0.5 ? before : before / factor);
    }
}
