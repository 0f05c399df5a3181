/** JMH benchmarks. */
@SuppressWarnings("requires-automatic")
module io.kingfisher.bench {
    requires io.kingfisher.train;
    requires io.kingfisher.optimizers;
    requires jmh.core;
    requires org.bytedeco.pytorch;
    requires org.bytedeco.openblas;
    requires org.bytedeco.javacpp;
    requires info.picocli;
    requires java.desktop;
    requires jdk.management;
    requires org.knowm.xchart;

    opens io.kingfisher.bench.report to
            info.picocli;
}
