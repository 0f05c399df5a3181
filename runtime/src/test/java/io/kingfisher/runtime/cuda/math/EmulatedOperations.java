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
        } else if (type == CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR()) {
            multiply(r, state);
        } else if (type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR()) {
            pointwise(r, state);
        } else if (type == CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR()) {
            reduce(r, state);
        } else if (type == CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR()) {
            reshape(r, state);
        } else {
            throw new AssertionError("no operation of type " + type);
        }
    }

    private static void multiply(Read r, State state) {
        Tensor a = r.tensor(CUDNN_ATTR_OPERATION_MATMUL_ADESC()), b = r.tensor(CUDNN_ATTR_OPERATION_MATMUL_BDESC());
        Tensor c = r.tensor(CUDNN_ATTR_OPERATION_MATMUL_CDESC());
        require(
                new Read(r.one(CUDNN_ATTR_OPERATION_MATMUL_DESC()))
                                .choice(CUDNN_ATTR_MATMUL_COMP_TYPE(), CUDNN_TYPE_DATA_TYPE())
                        == CUDNN_DATA_FLOAT(),
                "compute type");
        int rank = c.dims().length, m = (int) c.dims()[rank - 2], n = (int) c.dims()[rank - 1];
        int k = (int) a.dims()[rank - 1];
        require(a.dims()[rank - 2] == m && b.dims()[rank - 2] == k && b.dims()[rank - 1] == n, "shapes of a product");
        require(a.elements() / (m * k) == c.elements() / (m * n), "batches of a product");
        double[] x = state.read(a), y = state.read(b), z = new double[c.elements()];
        for (int p = 0; p < z.length; p++) {
            int batch = p / (m * n), i = p / n % m, j = p % n;
            for (int l = 0; l < k; l++) {
                z[p] += x[(batch * m + i) * k + l] * y[(batch * k + l) * n + j];
            }
        }
        state.write(c, z);
    }

    private static void pointwise(Read r, State state) {
        Descriptor how = r.one(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR());
        int mode = new Read(how).choice(CUDNN_ATTR_POINTWISE_MODE(), CUDNN_TYPE_POINTWISE_MODE());
        Tensor x = r.tensor(CUDNN_ATTR_OPERATION_POINTWISE_XDESC());
        Tensor y = r.tensor(CUDNN_ATTR_OPERATION_POINTWISE_YDESC());
        double[] result = new double[y.elements()];
        if (mode == CUDNN_POINTWISE_GEN_INDEX()) {
            int axis = (int) new Read(how).longs(CUDNN_ATTR_POINTWISE_AXIS())[0];
            for (int i = 0; i < result.length; i++) {
                result[i] = place(i, y.dims())[axis];
            }
            state.write(y, result);
            return;
        }
        double[] first = broadcast(state, x, y);
        double[] second = r.has(CUDNN_ATTR_OPERATION_POINTWISE_BDESC())
                ? broadcast(state, r.tensor(CUDNN_ATTR_OPERATION_POINTWISE_BDESC()), y)
                : null;
        boolean select = mode == CUDNN_POINTWISE_BINARY_SELECT();
        double[] condition = select ? broadcast(state, r.tensor(CUDNN_ATTR_OPERATION_POINTWISE_TDESC()), y) : null;
        for (int i = 0; i < result.length; i++) {
            result[i] = select ? (condition[i] != 0 ? first[i] : second[i]) : value(mode, first, second, i);
        }
        state.write(y, result);
    }

    private static double value(int mode, double[] x, double[] b, int i) {
        if (mode == CUDNN_POINTWISE_EXP()) {
            return Math.exp(x[i]);
        } else if (mode == CUDNN_POINTWISE_LOG()) {
            return Math.log(x[i]);
        } else if (mode == CUDNN_POINTWISE_ADD()) {
            return x[i] + b[i];
        } else if (mode == CUDNN_POINTWISE_SUB()) {
            return x[i] - b[i];
        } else if (mode == CUDNN_POINTWISE_MUL()) {
            return x[i] * b[i];
        } else if (mode == CUDNN_POINTWISE_DIV()) {
            return x[i] / b[i];
        } else if (mode == CUDNN_POINTWISE_CMP_GE()) {
            return x[i] >= b[i] ? 1 : 0;
        }
        throw new AssertionError("no pointwise mode " + mode);
    }

    /** Dimensions of 1 stretch. */
    private static double[] broadcast(State state, Tensor x, Tensor like) {
        double[] values = state.read(x), result = new double[like.elements()];
        for (int i = 0; i < result.length; i++) {
            int[] place = place(i, like.dims());
            int at = 0;
            for (int axis = 0; axis < place.length; axis++) {
                require(x.dims()[axis] == 1 || x.dims()[axis] == like.dims()[axis], "broadcast");
                at = at * (int) x.dims()[axis] + (x.dims()[axis] == 1 ? 0 : place[axis]);
            }
            result[i] = values[at];
        }
        return result;
    }

    private static void reduce(Read r, State state) {
        Tensor x = r.tensor(CUDNN_ATTR_OPERATION_REDUCTION_XDESC()),
                y = r.tensor(CUDNN_ATTR_OPERATION_REDUCTION_YDESC());
        int operator = new Read(r.one(CUDNN_ATTR_OPERATION_REDUCTION_DESC()))
                .choice(CUDNN_ATTR_REDUCTION_OPERATOR(), CUDNN_TYPE_REDUCTION_OPERATOR_TYPE());
        boolean largest = operator == CUDNN_REDUCE_TENSOR_MAX();
        require(largest || operator == CUDNN_REDUCE_TENSOR_ADD(), "reduction");
        double[] values = state.read(x), result = new double[y.elements()];
        java.util.Arrays.fill(result, largest ? Double.NEGATIVE_INFINITY : 0);
        for (int i = 0; i < values.length; i++) {
            int[] place = place(i, x.dims());
            int at = 0;
            for (int axis = 0; axis < place.length; axis++) {
                at = at * (int) y.dims()[axis] + (y.dims()[axis] == 1 ? 0 : place[axis]);
            }
            result[at] = largest ? Math.max(result[at], values[i]) : result[at] + values[i];
        }
        state.write(y, result);
    }

    /** The same memory with other dimensions and strides. */
    private static void reshape(Read r, State state) {
        Tensor x = r.tensor(CUDNN_ATTR_OPERATION_RESHAPE_XDESC()), y = r.tensor(CUDNN_ATTR_OPERATION_RESHAPE_YDESC());
        require(x.elements() == y.elements(), "elements of a reshape");
        double[] values = state.read(x), memory = new double[values.length], result = new double[values.length];
        int[] from = x.places(), to = y.places();
        for (int i = 0; i < values.length; i++) {
            memory[from[i]] = values[i];
        }
        for (int i = 0; i < values.length; i++) {
            result[i] = memory[to[i]];
        }
        state.write(y, result);
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
