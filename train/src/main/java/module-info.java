/** The command line: data, training loop, checkpoints, metrics, plots. */
module io.kingfisher.train {
    requires transitive io.kingfisher.optimizers;
}
