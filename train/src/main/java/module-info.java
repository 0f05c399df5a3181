/** The command line: data, training loop, checkpoints, metrics, plots. */
module io.kingfisher.train {
    requires transitive io.kingfisher.optimizers;
    requires com.fasterxml.jackson.core;
    requires info.picocli;
    requires java.desktop;
    requires jdk.management;
    requires jtokkit;
    requires org.knowm.xchart;
    requires org.snakeyaml.engine;

    exports io.kingfisher.train.checkpoint;
    exports io.kingfisher.train.config;
    exports io.kingfisher.train.data;
    exports io.kingfisher.train.json;
    exports io.kingfisher.train.methods;
    exports io.kingfisher.train.report;
    exports io.kingfisher.train.workload;

    opens io.kingfisher.train to
            info.picocli;
}
