package io.kingfisher.train.workload;

import io.kingfisher.layers.Precision;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;

/**
 * What a device does at best, measured on it: the bytes that it reads and writes a second, and the operations of a large
 * square matrix product. What a training step achieves is told as a share of these.
 */
public final class Ceilings {
    /** How long replays are repeated: on a processor loops are fast only once the JIT compiler has got to them. */
    private static final long NANOS = 3_000_000_000L;

    private static final int LEAST_ROUNDS = 20;

    private Ceilings() {}

    /**
     * Bytes read and written a second while an array is read, changed and written.
     *
     * @param bytes of the array, several times those of any cache
     */
    public static double copy(Device device, long bytes) {
        Shape shape = Shape.of(bytes / Float.BYTES);
        try (Tensor from = device.allocate(DType.F32, shape);
                Tensor to = device.allocate(DType.F32, shape)) {
            Graph graph = new Graph();
            graph.assign(to, graph.read(from).mul(1.5));
            try (Program program = device.compile(graph)) {
                return 2.0 * shape.elements() * Float.BYTES / seconds(device, program);
            }
        }
    }

    /**
     * Operations a second, two for each multiplication with its addition, of a product of square matrices.
     *
     * @param size the matrices' rows and columns
     * @param device opened with TF32 allowed where that is the precision
     */
    public static double product(Device device, Precision precision, int size) {
        DType dtype = precision.products().orElse(DType.F32);
        Shape shape = Shape.of(size, size);
        try (Tensor a = device.allocate(dtype, shape);
                Tensor b = device.allocate(dtype, shape);
                Tensor c = device.allocate(dtype, shape)) {
            a.fill(0.5);
            b.fill(0.25);
            Graph graph = new Graph();
            Value product = graph.read(a).matmul(graph.read(b));
            graph.assign(c, product);
            try (Program program = device.compile(graph)) {
                return 2.0 * size * size * size / seconds(device, program);
            }
        }
    }

    /** The least time of a replay that the host waits for. */
    private static double seconds(Device device, Program program) {
        long least = Long.MAX_VALUE, first = System.nanoTime();
        for (int i = 0; i < LEAST_ROUNDS || System.nanoTime() - first < NANOS; i++) {
            long began = System.nanoTime();
            program.replay();
            device.synchronize();
            least = Math.min(least, System.nanoTime() - began);
        }
        return least / 1e9;
    }
}
