/** JMH benchmarks. */
module io.kingfisher.bench {
    requires io.kingfisher.train;
    requires jmh.core;
}
