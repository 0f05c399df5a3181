package io.kingfisher.bench.report;

/** What is to be reached, on 2 cores. */
final class Bars {
    /** The share of the measured copy bandwidth that an update is to reach. */
    static final double UPDATE_SHARE = 0.8;

    /** How many times libtorch's AdaFisher update is to take. */
    static final double UPDATE_RATIO = 8;

    /** The share of a step that a refresh may cost. */
    static final double REFRESH = 0.15;

    /** From the start of the JVM to the end of the first step. */
    static final double COLD_MILLIS = 1500;

    private Bars() {}

    /** The share of libtorch's time that a step with SGD may take. */
    static double sgd(String model) {
        return switch (model) {
            case "mlp-small" -> 0.35;
            case "mlp-large" -> 0.92;
            case "lenet" -> 0.45;
            case "resnet18-cifar" -> 0.70;
            case "gpt-mini" -> 0.80;
            default -> throw new IllegalArgumentException(model);
        };
    }

    /** The time that a step with AdaFisher may take, as a multiple of one with SGD. */
    static double adaFisher(String model) {
        return switch (model) {
            case "mlp-small", "lenet" -> 1.05;
            default -> 1.03;
        };
    }
}
