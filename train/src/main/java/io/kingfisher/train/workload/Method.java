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
import io.kingfisher.train.config.OptionSchema;
import io.kingfisher.train.config.Options;
import io.kingfisher.train.methods.Methods;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * An optimizer with fixed settings: a few with those of known measurements, and every other one that a configuration can name
 * with its defaults.
 *
 * @param label the optimizer's name, with AdaFisher's mode unless it is {@code released}
 * @param rate its learning rate
 */
public record Method(String label, double rate, Factory factory) {
    public static final Method SGD = new Method(
            "SGD", 0.03, (device, groups, _) -> new Sgd(device, groups, new Sgd.Config(0.9, 0, false), none()));
    public static final Method ADAM =
            new Method("Adam", 1e-3, (device, groups, _) -> new Adam(device, groups, Adam.Config.adam(), none()));
    public static final Method ADAMW =
            new Method("AdamW", 1e-3, (device, groups, _) -> new Adam(device, groups, Adam.Config.adamW(), none()));
    public static final Method ADAFISHER = adaFisher("AdaFisher", 1e-3, AdaFisherConfig.Mode.RELEASED, false);
    public static final Method ADAFISHERW = adaFisher("AdaFisherW", 1e-3, AdaFisherConfig.Mode.RELEASED, true);
    public static final Method ADAFISHER_PAPER = adaFisher("AdaFisher-paper", 1e-3, AdaFisherConfig.Mode.PAPER, false);
    public static final Method ADAFISHER_RELATIVE =
            adaFisher("AdaFisher-relative", 0.02, AdaFisherConfig.Mode.RELATIVE, false);

    /** Makes an optimizer whose curvature is refreshed at this interval; at the usual one where it is 0. */
    public interface Factory {
        Optimizer make(Device device, List<ParameterGroup> groups, int refreshInterval);
    }

    /** Those with settings of their own. */
    public static List<Method> known() {
        return List.of(SGD, ADAM, ADAMW, ADAFISHER, ADAFISHERW, ADAFISHER_PAPER, ADAFISHER_RELATIVE);
    }

    /** All names that {@link #of} understands. */
    public static List<String> names() {
        return Stream.concat(
                        known().stream().map(Method::label),
                        Methods.all().stream().map(io.kingfisher.train.methods.Method::name))
                .distinct()
                .toList();
    }

    /**
     * The method of a name, in any case; settings may follow, as in {@code KFAC:TCov=10:TInv=10}.
     *
     * @throws KingfisherException where there is none, with the names that there are, or no such setting
     */
    public static Method of(String text) {
        List<String> parts = List.of(text.split(":"));
        for (Method method : known()) {
            if (method.label().equalsIgnoreCase(text)) {
                return method;
            }
        }
        var method = Methods.all().stream()
                .filter(m -> m.name().equalsIgnoreCase(parts.get(0)))
                .findFirst()
                .orElseThrow(() -> new KingfisherException("There is no optimizer '" + parts.get(0)
                        + "' to run; choose from " + String.join(", ", names()) + "."));
        Options options = options(method.schema().options(), parts.subList(1, parts.size()));
        return new Method(
                text,
                method.schema().learningRate(),
                (device, groups, _) -> method.factory().make(device, groups, options, none()));
    }

    /** The defaults of a schema, with some settings given as {@code key=value}. */
    private static Options options(OptionSchema schema, List<String> given) {
        Map<String, Object> values = new LinkedHashMap<>();
        schema.options().forEach(option -> option.fallback().ifPresent(value -> values.put(option.name(), value)));
        for (String setting : given) {
            String[] pair = setting.split("=", 2);
            Object usual = values.get(pair[0]);
            if (pair.length < 2 || usual == null) {
                throw new KingfisherException("'" + setting + "' is no setting of " + schema.name()
                        + "; write key=value with one of " + String.join(", ", values.keySet()) + ".");
            }
            try {
                values.put(pair[0], read(usual, pair[1]));
            } catch (NumberFormatException e) {
                throw new KingfisherException(
                        "The setting " + pair[0] + " of " + schema.name() + " is a number, not '" + pair[1] + "'.", e);
            }
        }
        return new Options(values);
    }

    private static Object read(Object usual, String text) {
        return switch (usual) {
            case Long _ -> Long.valueOf(text);
            case Double _ -> Double.valueOf(text);
            case Boolean _ -> Boolean.valueOf(text);
            default -> text;
        };
    }

    /**
     * The optimizer over all parameters of a model.
     *
     * @param refreshInterval steps between refreshes of the curvature; 0 for the usual number
     */
    public Optimizer make(Device device, Layer model, int refreshInterval) {
        return factory.make(device, List.of(new ParameterGroup(model.parameters(), rate, 1e-2)), refreshInterval);
    }

    private static Method adaFisher(String label, double rate, AdaFisherConfig.Mode mode, boolean decoupled) {
        AdaFisherConfig usual = AdaFisherConfig.of(mode);
        AdaFisherConfig config = decoupled ? usual.withDecoupledDecay() : usual;
        return new Method(
                label,
                rate,
                (device, groups, interval) -> new AdaFisher(
                        device, groups, interval > 0 ? config.withRefreshInterval(interval) : config, none()));
    }

    private static Clipping none() {
        return new Clipping.None();
    }

    @Override
    public String toString() {
        return label;
    }
}
