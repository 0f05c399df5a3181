package io.kingfisher.layers.models;

import io.kingfisher.layers.Activation;
import io.kingfisher.layers.Flatten;
import io.kingfisher.layers.Initializer;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.Parameter;
import io.kingfisher.layers.Sequential;
import io.kingfisher.runtime.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * The deep autoencoder of Hinton and Salakhutdinov (Science, 2006): by default 1000-500-250-30 units and back, eight layers,
 * sigmoids between them but for the code, which is linear. Takes samples of any shape with values in [0, 1] and gives [N x
 * elements] logits of them. Each unit begins with 15 weights from a normal distribution and the others 0, biases 0: Martens
 * (2010), section 5, with which such nets learn without pretraining.
 */
final class Autoencoder {
    private static final int CONNECTIONS = 15;

    private Autoencoder() {}

    static Layer of(Shape input, Sizes sizes) {
        List<Integer> encoder = sizes.counts("hidden", List.of(1000, 500, 250, 30));
        List<Long> units = new ArrayList<>();
        encoder.forEach(size -> units.add((long) size));
        for (int i = encoder.size() - 2; i >= 0; i--) {
            units.add((long) encoder.get(i));
        }
        units.add(input.elements());
        Sequential model = new Sequential().add("flatten", new Flatten());
        long in = input.elements();
        for (int i = 1; i <= units.size(); i++) {
            model.add("fc" + i, new Linear(in, units.get(i - 1)));
            if (i != encoder.size() && i != units.size()) {
                model.add("sigmoid" + i, Activation.sigmoid());
            }
            in = units.get(i - 1);
        }
        for (Parameter parameter : model.parameters()) {
            parameter.initializer(
                    parameter.name().equals("bias") ? Initializer.constant(0) : Initializer.sparse(CONNECTIONS));
        }
        return model;
    }
}
