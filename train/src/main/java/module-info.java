/** The command line: data, training loop, checkpoints, metrics, plots. */
module io.kingfisher.train {
    requires transitive io.kingfisher.optimizers;
    requires info.picocli;
    requires jdk.management;

    exports io.kingfisher.train.data;

    opens io.kingfisher.train to
            info.picocli;
}
