package io.kingfisher.layers;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import java.util.Arrays;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** libtorch in double precision on one thread: the judge. */
final class Torch {
    static {
        torch.set_num_threads(1);
    }

    private Torch() {}

    static Tensor leaf(double[] values, Shape shape) {
        return tensor(values, shape).set_requires_grad(true);
    }

    static Tensor tensor(double[] values, Shape shape) {
        return Tensor.create(values, shape.toArray());
    }

    /** A tensor of the kind that libtorch wants: doubles, 64-bit integers or booleans. */
    static Tensor of(DType dtype, double[] values, Shape shape) {
        return switch (dtype) {
            case I32 ->
                Tensor.create(Arrays.stream(values).mapToLong(v -> (long) v).toArray(), shape.toArray());
            case U8 -> tensor(values, shape).to(ScalarType.Bool);
            default -> leaf(values, shape);
        };
    }

    static double[] doubles(Tensor tensor) {
        Tensor dense = tensor.detach().to(ScalarType.Double).contiguous();
        double[] values = new double[Math.toIntExact(dense.numel())];
        if (values.length > 0) {
            new DoublePointer(dense.data_ptr()).get(values);
        }
        return values;
    }

    static TensorOptional some(Tensor tensor) {
        return tensor == null ? new TensorOptional() : new TensorOptional(tensor);
    }
}
