package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.cuda.math.Call;
import io.kingfisher.runtime.cuda.math.MathLibraries;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Libraries whose calls are written down by a recording driver. Factorizations cannot be captured. */
final class RecordingLibraries implements MathLibraries {
    private final RecordingDriver driver;

    /** The epilogues that there are; null for all that are documented. */
    List<String> only;

    RecordingLibraries(RecordingDriver driver) {
        this.driver = driver;
    }

    private Call call(Object what, boolean capturable) {
        return new Call() {
            @Override
            public long workspaceBytes() {
                return 1024;
            }

            @Override
            public void run(long stream, long[] addresses, long workspace) {
                driver.library("call " + what + " "
                        + Arrays.stream(addresses).mapToObj(driver::name).collect(Collectors.toList()) + " workspace "
                        + driver.name(workspace) + " on " + driver.stream(stream));
            }

            @Override
            public boolean capturable() {
                return capturable;
            }

            @Override
            public String what() {
                return "the recorder";
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public Call product(Product product) {
        return call(product, true);
    }

    @Override
    public boolean has(Product product) {
        return MathLibraries.super.has(product)
                && (only == null || only.contains(product.epilogue().name()));
    }

    @Override
    public Call selfProduct(SelfProduct product) {
        return call(product, true);
    }

    @Override
    public Call convolution(Conv convolution) {
        return call(convolution, true);
    }

    @Override
    public Call attention(Attention attention) {
        return call(attention, true);
    }

    @Override
    public Call attentionGradient(Attention attention) {
        return call("gradient of " + attention, true);
    }

    @Override
    public boolean has(Attention attention) {
        return true;
    }

    @Override
    public Call factorization(Factorization factorization) {
        return call(factorization, false);
    }

    @Override
    public List<String> report() {
        return List.of("nothing is computed");
    }

    @Override
    public void close() {}
}
