package io.kingfisher.train.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/** The spelling {@code betas: [b1, b2]} of two settings. */
final class Betas {
    private Betas() {}

    /** Rewrites {@code betas: [b1, b2]} as the two keys it stands for. */
    static YamlNode.Mapping split(YamlNode.Mapping kwargs, OptionSchema schema, Source source) {
        var betas = kwargs.entries().get("betas");
        if (betas == null || schema.knows("betas") || !schema.knows("beta1")) {
            return kwargs;
        }
        if (!(betas.value() instanceof YamlNode.Sequence list) || list.items().size() != 2) {
            throw source.error(
                    "optimizer_kwargs.betas",
                    "expected a list of 2 numbers such as [0.9, 0.999], found "
                            + betas.value().found() + ".");
        }
        var entries = new LinkedHashMap<>(kwargs.entries());
        entries.remove("betas");
        var names = new ArrayList<>(List.of("beta1", "beta2"));
        for (int i = 0; i < names.size(); i++) {
            if (entries.put(
                            names.get(i),
                            new YamlNode.Entry(betas.location(), list.items().get(i)))
                    != null) {
                throw source.error("optimizer_kwargs.betas", "sets " + names.get(i) + " too; keep one of them.");
            }
        }
        return new YamlNode.Mapping(entries, kwargs.location());
    }
}
