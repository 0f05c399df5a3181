package io.kingfisher.runtime.reference;

import io.kingfisher.runtime.Shape;

/** Visits the elements of a box in row-major order, a row at a time, with the offsets that strides give them. */
final class Strided {
    private Strided() {}

    /** A run of {@code count} elements: element i is at {@code offset + i * stride}. */
    interface Row {
        void visit(int offset, int stride, int count);
    }

    static void forEachRow(Shape box, long offset, long[] strides, Row row) {
        if (box.elements() == 0) {
            return;
        }
        int rank = box.rank();
        if (rank == 0) {
            row.visit((int) offset, 0, 1);
            return;
        }
        int count = box.size(-1), stride = (int) strides[rank - 1];
        long[] place = new long[rank];
        long at = offset;
        while (true) {
            row.visit((int) at, stride, count);
            int axis = rank - 2;
            while (axis >= 0) {
                at += strides[axis];
                if (++place[axis] < box.dim(axis)) {
                    break;
                }
                at -= strides[axis] * box.dim(axis);
                place[axis--] = 0;
            }
            if (axis < 0) {
                return;
            }
        }
    }

    /** The elements of a box of {@code x}, in row-major order. */
    static double[] read(double[] x, Shape box, long offset, long[] strides) {
        double[] y = new double[Math.toIntExact(box.elements())];
        int[] next = {0};
        forEachRow(box, offset, strides, (at, stride, count) -> {
            int to = next[0];
            for (int i = 0; i < count; i++) {
                y[to + i] = x[at + i * stride];
            }
            next[0] = to + count;
        });
        return y;
    }

    /** Writes {@code x}, in row-major order, into a box of {@code y}. */
    static void write(double[] x, double[] y, Shape box, long offset, long[] strides) {
        int[] next = {0};
        forEachRow(box, offset, strides, (at, stride, count) -> {
            int from = next[0];
            for (int i = 0; i < count; i++) {
                y[at + i * stride] = x[from + i];
            }
            next[0] = from + count;
        });
    }
}
