package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.cuda.kernels.EmulatedDriver;
import io.kingfisher.runtime.cuda.math.Call;
import io.kingfisher.runtime.cuda.math.MathLibraries;
import java.util.List;

/** Libraries whose calls take part in the emulated driver's streams: captured with them, not run while they are. */
final class StreamedLibraries implements MathLibraries {
    private final EmulatedDriver driver;
    private final MathLibraries libraries;
    private int open;

    StreamedLibraries(EmulatedDriver driver, MathLibraries libraries) {
        this.driver = driver;
        this.libraries = libraries;
    }

    /** The calls that have not been closed. */
    int open() {
        return open;
    }

    private Call streamed(Call call) {
        open++;
        return new Call() {
            private boolean closed;

            @Override
            public long workspaceBytes() {
                return call.workspaceBytes();
            }

            @Override
            public void run(long stream, long[] addresses, long workspace) {
                long[] kept = addresses.clone();
                driver.call(stream, () -> call.run(stream, kept, workspace));
            }

            @Override
            public boolean capturable() {
                return call.capturable();
            }

            @Override
            public String what() {
                return call.what();
            }

            @Override
            public void close() {
                if (!closed) {
                    closed = true;
                    open--;
                    call.close();
                }
            }
        };
    }

    @Override
    public Call product(Product product) {
        return streamed(libraries.product(product));
    }

    @Override
    public boolean has(Product product) {
        return libraries.has(product);
    }

    @Override
    public Call selfProduct(SelfProduct product) {
        return streamed(libraries.selfProduct(product));
    }

    @Override
    public void prepare(long stream) {
        libraries.prepare(stream);
    }

    @Override
    public Call convolution(Conv convolution) {
        return streamed(libraries.convolution(convolution));
    }

    @Override
    public Call attention(Attention attention) {
        return streamed(libraries.attention(attention));
    }

    @Override
    public Call attentionGradient(Attention attention) {
        return streamed(libraries.attentionGradient(attention));
    }

    @Override
    public boolean has(Attention attention) {
        return libraries.has(attention);
    }

    @Override
    public Call factorization(Factorization factorization) {
        return streamed(libraries.factorization(factorization));
    }

    @Override
    public List<String> report() {
        return libraries.report();
    }

    @Override
    public void close() {
        libraries.close();
    }
}
