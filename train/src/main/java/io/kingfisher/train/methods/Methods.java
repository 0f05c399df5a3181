package io.kingfisher.train.methods;

import io.kingfisher.train.config.ConfigReader;
import io.kingfisher.train.config.OptimizerSchema;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.stream.Stream;

/** All methods by name. A family lists its own; a new family is added here. */
public final class Methods {
    private Methods() {}

    /** Every method, in the order in which they are listed to users. */
    public static List<Method> all() {
        return Stream.of(
                        FirstOrderMethods.all(),
                        AdaFisherMethods.all(),
                        KroneckerMethods.all(),
                        CurvatureDiagonalMethods.all(),
                        CheapKroneckerMethods.all(),
                        MatrixFreeMethods.all(),
                        SampleMethods.all(),
                        ShampooMethods.all())
                .flatMap(List::stream)
                .toList();
    }

    /** A reader of configurations that knows them. */
    public static ConfigReader reader() {
        var schemas = new LinkedHashMap<String, OptimizerSchema>();
        all().forEach(method -> schemas.put(method.name(), method.schema()));
        return new ConfigReader(schemas);
    }

    /** The method with the name that a schema gave. */
    public static Method named(String name) {
        return all().stream()
                .filter(method -> method.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no method " + name));
    }
}
