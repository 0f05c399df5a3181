package io.kingfisher.layers.models;

import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Names;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The models by name. */
public final class Models {
    private static final Map<String, Builder> BUILDERS = builders();

    private Models() {}

    private interface Builder {
        Layer build(Shape input, int classes, Sizes sizes);
    }

    private static Map<String, Builder> builders() {
        Map<String, Builder> all = new LinkedHashMap<>();
        all.put("mlp-small", (input, classes, sizes) -> Mlp.of(input, classes, sizes, 128));
        all.put("mlp-large", (input, classes, sizes) -> Mlp.of(input, classes, sizes, 1024, 1024));
        all.put("autoencoder", (input, _, sizes) -> Autoencoder.of(input, sizes));
        all.put("lenet", (input, classes, _) -> new LeNet(input, classes));
        all.put("resnet18Cifar", (input, classes, sizes) -> ResNet.cifar(18, input, classes, sizes));
        all.put("resnet34Cifar", (input, classes, sizes) -> ResNet.cifar(34, input, classes, sizes));
        all.put("resnet50Cifar", (input, classes, sizes) -> ResNet.cifar(50, input, classes, sizes));
        all.put("gpt-mini", Gpt::of);
        return all;
    }

    /** The names of all models. */
    public static List<String> names() {
        return List.copyOf(BUILDERS.keySet());
    }

    /** Whether {@link #create} knows a name. */
    public static boolean knows(String name) {
        return BUILDERS.keySet().stream().anyMatch(known -> plain(known).equals(plain(name)));
    }

    /**
     * Builds a model, whose parameters have no memory until it is initialized. Names are understood without regard to case,
     * hyphens and underscores.
     *
     * @param name one of {@link #names()}
     * @param input the shape of one sample: [C x H x W] of an image, [T] tokens of a text
     * @param classes the number of classes, or of tokens in the vocabulary
     * @param sizes what to build otherwise than usual: {@code hidden} (a list of widths) of an mlp or of an
     *     autoencoder's encoder, {@code width} (channels
     *     of the first stage) of a resnet, {@code width}, {@code depth}, {@code heads}, {@code tied} and {@code dropout} of
     *     gpt-mini
     * @throws KingfisherException if the name, a size or the input does not fit, with the nearest valid names
     */
    public static Layer create(String name, Shape input, int classes, Map<String, ?> sizes) {
        if (classes < 1) {
            throw new KingfisherException("The model " + name + " needs at least one class, not " + classes + ".");
        }
        Sizes checked = new Sizes(name, sizes);
        Layer model = builder(name).build(input, classes, checked);
        checked.finish();
        return model;
    }

    private static Builder builder(String name) {
        return BUILDERS.entrySet().stream()
                .filter(entry -> plain(entry.getKey()).equals(plain(name)))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElseThrow(() -> new KingfisherException(
                        "There is no model '" + name + "'" + Names.hint(name, BUILDERS.keySet())));
    }

    private static String plain(String name) {
        return name.toLowerCase(Locale.ROOT).replace("-", "").replace("_", "");
    }
}
