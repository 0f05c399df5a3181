package io.kingfisher.runtime.cuda.math;

import static io.kingfisher.nativebindings.cudnn.generated.cudnn_h.*;
import static io.kingfisher.runtime.cuda.math.EmulatedBlas.require;

import io.kingfisher.runtime.cuda.math.EmulatedDnn.Read;
import io.kingfisher.runtime.cuda.math.EmulatedDnn.State;
import io.kingfisher.runtime.cuda.math.EmulatedDnn.Tensor;

/** What each of cuDNN's operations does. */
final class EmulatedOperations {
    private EmulatedOperations() {}

    static void run(Descriptor operation, State state) {
        Read r = new Read(operation);
        int type = operation.type();
        if (type == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR()) {
            require(r.number(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA()) == 1, "alpha");
            require(r.number(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA()) == 0, "beta");
            Tensor x = r.tensor(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X());
            Tensor w = r.tensor(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W());
            Tensor y = r.tensor(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y());
            double[] xs = state.read(x), ws = state.read(w), ys = new double[y.elements()];
            convolve(
                    r.one(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC()),
                    x,
                    w,
                    y,
                    (i, j, k) -> ys[k] += xs[i] * ws[j]);
            state.write(y, ys);
        } else if (type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR()) {
            require(r.number(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA()) == 1, "alpha");
            require(r.number(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA()) == 0, "beta");
            Tensor x = r.tensor(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX());
            Tensor w = r.tensor(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W());
            Tensor y = r.tensor(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY());
            double[] xs = new double[x.elements()], ws = state.read(w), ys = state.read(y);
            convolve(
                    r.one(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC()),
                    x,
                    w,
                    y,
                    (i, j, k) -> xs[i] += ws[j] * ys[k]);
            state.write(x, xs);
        } else if (type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR()) {
            require(r.number(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA()) == 1, "alpha");
            require(r.number(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA()) == 0, "beta");
            Tensor x = r.tensor(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X());
            Tensor w = r.tensor(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW());
            Tensor y = r.tensor(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY());
            double[] xs = state.read(x), ws = new double[w.elements()], ys = state.read(y);
            convolve(
                    r.one(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC()),
                    x,
                    w,
                    y,
                    (i, j, k) -> ws[j] += xs[i] * ys[k]);
            state.write(w, ws);
        } else {
            throw new AssertionError("no operation of type " + type);
        }
    }

    /** An image element, a weight and the output element that their product belongs to, in row-major order. */
    private interface Term {
        void visit(int x, int w, int y);
    }

    private static void convolve(Descriptor window, Tensor x, Tensor w, Tensor y, Term term) {
        Read r = new Read(window);
        require(window.type() == CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR(), "a convolution descriptor");
        require(r.longs(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS())[0] == 2, "two spatial dimensions");
        require(
                r.choice(CUDNN_ATTR_CONVOLUTION_CONV_MODE(), CUDNN_TYPE_CONVOLUTION_MODE())
                        == CUDNN_CROSS_CORRELATION(),
                "cross-correlation");
        int compute = r.choice(CUDNN_ATTR_CONVOLUTION_COMP_TYPE(), CUDNN_TYPE_DATA_TYPE());
        require((compute == CUDNN_DATA_DOUBLE()) == (x.type() == CUDNN_DATA_DOUBLE()), "compute type");
        require(x.type() == w.type() && w.type() == y.type(), "types");
        long[] stride = r.longs(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES());
        long[] dilation = r.longs(CUDNN_ATTR_CONVOLUTION_DILATIONS());
        long[] before = r.longs(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS());
        long[] after = r.longs(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS());
        long groups = x.dims()[1] / w.dims()[1], outs = w.dims()[0] / groups;
        require(groups * w.dims()[1] == x.dims()[1] && outs * groups == w.dims()[0], "groups");
        require(y.dims()[0] == x.dims()[0] && y.dims()[1] == w.dims()[0], "output's batch and channels");
        for (int axis = 0; axis < 2; axis++) {
            long reach = (w.dims()[2 + axis] - 1) * dilation[axis] + 1;
            long extent = (x.dims()[2 + axis] + before[axis] + after[axis] - reach) / stride[axis] + 1;
            require(y.dims()[2 + axis] == extent, "output's extent");
        }
        for (int k = 0; k < y.elements(); k++) {
            int[] at = place(k, y.dims());
            long group = at[1] / outs;
            for (int j = at[1] * (w.elements() / (int) w.dims()[0]);
                    j < (at[1] + 1) * (w.elements() / (int) w.dims()[0]);
                    j++) {
                int[] tap = place(j, w.dims());
                long h = at[2] * stride[0] + tap[2] * dilation[0] - before[0];
                long v = at[3] * stride[1] + tap[3] * dilation[1] - before[1];
                if (h >= 0 && h < x.dims()[2] && v >= 0 && v < x.dims()[3]) {
                    long channel = group * w.dims()[1] + tap[1];
                    long i = ((at[0] * x.dims()[1] + channel) * x.dims()[2] + h) * x.dims()[3] + v;
                    term.visit((int) i, j, k);
                }
            }
        }
    }

    static int[] place(int index, long[] dims) {
        int[] place = new int[dims.length];
        int rest = index;
        for (int axis = dims.length - 1; axis >= 0; axis--) {
            place[axis] = (int) (rest % dims[axis]);
            rest /= (int) dims[axis];
        }
        return place;
    }
}
