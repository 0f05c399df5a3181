package io.kingfisher.optimizers.kronecker;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * The blocks of one size along the diagonal of matrices [groups x n x n], as [groups * count x size x size]; the last of a
 * matrix is filled up with zeros.
 */
public record DiagonalBlocks(long groups, long n, long size) {
    /** Blocks of at most {@code largest} rows. */
    static DiagonalBlocks of(long groups, long n, long largest) {
        return new DiagonalBlocks(groups, n, Math.min(n, largest));
    }

    long count() {
        return (n + size - 1) / size;
    }

    Shape shape() {
        return Shape.of(groups * count(), size, size);
    }

    /** The blocks of matrices [groups x n x n]. */
    Value take(Value matrices) {
        if (count() == 1) {
            return matrices;
        }
        Value padded = pad(pad(matrices, 1), 2);
        List<Value> blocks = new ArrayList<>();
        for (long b = 0; b < count(); b++) {
            Value rows = padded.slice(1, b * size, (b + 1) * size);
            blocks.add(rows.slice(2, b * size, (b + 1) * size).reshape(groups, 1, size, size));
        }
        return padded.graph().concat(1, blocks).reshape(shape());
    }

    /** M B for matrices M [groups x rows x n] and the matrix B that has these blocks and is 0 elsewhere. */
    Value times(Value m, Value blocks) {
        if (count() == 1) {
            return m.matmul(blocks);
        }
        long rows = m.dim(1);
        Value split = pad(m, 2).reshape(groups, rows, count(), size).transpose(0, 2, 1, 3);
        Value product = split.reshape(groups * count(), rows, size).matmul(blocks);
        return product.reshape(groups, count(), rows, size)
                .transpose(0, 2, 1, 3)
                .reshape(groups, rows, count() * size)
                .slice(2, 0, n);
    }

    /** B M for matrices M [groups x n x columns]. */
    Value timesLeft(Value blocks, Value m) {
        long columns = m.dim(2);
        return blocks.matmul(pad(m, 1).reshape(groups * count(), size, columns))
                .reshape(groups, count() * size, columns)
                .slice(1, 0, n);
    }

    private Value pad(Value m, int axis) {
        long missing = count() * size - n;
        if (missing == 0) {
            return m;
        }
        Value zeros = m.graph().zeros(DType.F32, m.shape().with(axis, missing));
        return m.graph().concat(axis, List.of(m, zeros));
    }
}
