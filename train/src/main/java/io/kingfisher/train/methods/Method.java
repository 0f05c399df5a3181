package io.kingfisher.train.methods;

import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.runtime.Device;
import io.kingfisher.train.config.OptimizerSchema;
import io.kingfisher.train.config.Options;
import java.util.List;

/**
 * An optimizer that a configuration can name.
 *
 * @param schema its name and settings
 * @param facts what a reader wants to know before choosing it
 * @param factory makes it
 */
public record Method(OptimizerSchema schema, Facts facts, Factory factory) {
    /**
     * What {@code ./kingfisher optimizers} prints.
     *
     * @param title the method's usual name
     * @param paper authors and year
     * @param cost what a step costs beyond the gradient, in a few words
     * @param memory state beyond the parameters, in numbers of parameters P or of a layer's inputs i and outputs o
     */
    public record Facts(String title, String paper, String cost, String memory) {}

    /** Makes an optimizer from settings that the schema has checked. */
    public interface Factory {
        Optimizer make(Device device, List<ParameterGroup> groups, Options settings, Clipping clipping);
    }

    /** The name in configurations. */
    public String name() {
        return schema.name();
    }
}
