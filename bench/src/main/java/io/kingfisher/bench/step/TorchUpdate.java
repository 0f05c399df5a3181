package io.kingfisher.bench.step;

import org.bytedeco.pytorch.Optimizer;

/** What changes libtorch's parameters from their gradients. */
interface TorchUpdate extends AutoCloseable {
    /** Forgets the gradients of the last step. */
    void forget();

    /** One update. */
    void step();

    @Override
    void close();

    /** An optimizer of the C++ front end: single operations, parameter by parameter. */
    static TorchUpdate of(Optimizer optimizer) {
        return new TorchUpdate() {
            @Override
            public void forget() {
                optimizer.zero_grad();
            }

            @Override
            public void step() {
                optimizer.step();
            }

            @Override
            public void close() {
                optimizer.close();
            }
        };
    }
}
