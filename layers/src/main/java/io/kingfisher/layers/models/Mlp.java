package io.kingfisher.layers.models;

import io.kingfisher.layers.Activation;
import io.kingfisher.layers.Flatten;
import io.kingfisher.layers.Layer;
import io.kingfisher.layers.Linear;
import io.kingfisher.layers.Sequential;
import io.kingfisher.runtime.Shape;
import java.util.Arrays;
import java.util.List;

/** Linear layers named fc1, fc2 ... with ReLU between. */
final class Mlp {
    private Mlp() {}

    static Layer of(Shape input, int classes, Sizes sizes, Integer... usual) {
        List<Integer> hidden = sizes.counts("hidden", Arrays.asList(usual));
        Sequential model = new Sequential().add("flatten", new Flatten());
        long in = input.elements();
        for (int i = 1; i <= hidden.size(); i++) {
            int out = hidden.get(i - 1);
            model.add("fc" + i, new Linear(in, out)).add("relu" + i, Activation.relu());
            in = out;
        }
        return model.add("fc" + (hidden.size() + 1), new Linear(in, classes));
    }
}
