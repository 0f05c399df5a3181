package io.kingfisher.train.workload;

import io.kingfisher.layers.Layer;
import io.kingfisher.optimizers.AdaFisher;
import io.kingfisher.optimizers.AdaFisherConfig;
import io.kingfisher.optimizers.Adam;
import io.kingfisher.optimizers.Clipping;
import io.kingfisher.optimizers.Optimizer;
import io.kingfisher.optimizers.ParameterGroup;
import io.kingfisher.optimizers.Sgd;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import java.util.Arrays;
import java.util.List;

/** An optimizer with fixed settings. */
public enum Method {
    SGD("SGD", 0.03),
    ADAM("Adam", 1e-3),
    ADAMW("AdamW", 1e-3),
    ADAFISHER("AdaFisher", 1e-3),
    ADAFISHERW("AdaFisherW", 1e-3),
    ADAFISHER_PAPER("AdaFisher-paper", 1e-3),
    ADAFISHER_RELATIVE("AdaFisher-relative", 0.02);

    private final String label;
    private final double rate;

    Method(String label, double rate) {
        this.label = label;
        this.rate = rate;
    }

    /** The optimizer's name, with AdaFisher's mode unless it is {@code released}. */
    public String label() {
        return label;
    }

    /** The method of a name, in any case. */
    public static Method of(String name) {
        return Arrays.stream(values())
                .filter(method -> method.label.equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() -> new KingfisherException("There is no optimizer '" + name + "' to run; choose from "
                        + String.join(
                                ", ", Arrays.stream(values()).map(Method::label).toList()) + "."));
    }

    /**
     * The optimizer over all parameters of a model.
     *
     * @param refreshInterval steps between refreshes of the curvature; 0 for the usual number
     */
    public Optimizer make(Device device, Layer model, int refreshInterval) {
        var groups = List.of(new ParameterGroup(model.parameters(), rate, 1e-2));
        Clipping none = new Clipping.None();
        return switch (this) {
            case SGD -> new Sgd(device, groups, new Sgd.Config(0.9, 0, false), none);
            case ADAM -> new Adam(device, groups, Adam.Config.adam(), none);
            case ADAMW -> new Adam(device, groups, Adam.Config.adamW(), none);
            case ADAFISHER, ADAFISHERW, ADAFISHER_PAPER, ADAFISHER_RELATIVE -> {
                AdaFisherConfig config = AdaFisherConfig.of(
                        switch (this) {
                            case ADAFISHER_PAPER -> AdaFisherConfig.Mode.PAPER;
                            case ADAFISHER_RELATIVE -> AdaFisherConfig.Mode.RELATIVE;
                            default -> AdaFisherConfig.Mode.RELEASED;
                        });
                config = refreshInterval > 0 ? config.withRefreshInterval(refreshInterval) : config;
                yield new AdaFisher(device, groups, this == ADAFISHERW ? config.withDecoupledDecay() : config, none);
            }
        };
    }
}
