/** The command line: data, training loop, checkpoints, metrics, plots. */
module io.kingfisher.train {
    requires transitive io.kingfisher.optimizers;
    requires info.picocli;

    opens io.kingfisher.train to
            info.picocli;
}
