package io.kingfisher.runtime.cuda.math;

import static io.kingfisher.nativebindings.cudnn.generated.cudnn_h.*;

import io.kingfisher.runtime.cuda.math.Descriptor.Attribute.Choice;
import io.kingfisher.runtime.cuda.math.Descriptor.Attribute.Flag;
import io.kingfisher.runtime.cuda.math.Descriptor.Attribute.Longs;
import io.kingfisher.runtime.cuda.math.Descriptor.Attribute.References;
import io.kingfisher.runtime.cuda.math.DnnGraph.Constant;
import io.kingfisher.runtime.cuda.math.DnnGraph.Scratch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Records a cuDNN graph of several operations, whose results between them are never in memory unless said. */
final class DnnRecorder {
    private final List<Descriptor> operations = new ArrayList<>();
    private final List<Long> operands = new ArrayList<>();
    private final List<Long> bytes = new ArrayList<>();
    private final List<Constant> constants = new ArrayList<>();
    private final List<Scratch> scratch = new ArrayList<>();
    private long lastId;

    /** A tensor with its type and dimensions, for what is derived from it. */
    record Tensor(Descriptor descriptor, int type, long[] dims, long[] strides) {}

    private static long[] contiguous(long[] dims) {
        long[] strides = new long[dims.length];
        long stride = 1;
        for (int axis = dims.length - 1; axis >= 0; axis--) {
            strides[axis] = stride;
            stride *= dims[axis];
        }
        return strides;
    }

    private Tensor tensor(int type, long[] dims, long[] strides, Flag... special) {
        lastId++;
        return new Tensor(DnnGraph.tensor(lastId, type, dims, strides, special), type, dims, strides);
    }

    /** The next of the call's operands. */
    Tensor operand(int type, long size, long[] dims, long... strides) {
        Tensor result = tensor(type, dims, strides.length == 0 ? contiguous(dims) : strides);
        operands.add(lastId);
        bytes.add(size * Arrays.stream(dims).reduce(1, Math::multiplyExact));
        return result;
    }

    Tensor virtual(int type, long... dims) {
        return tensor(type, dims, contiguous(dims), new Flag(CUDNN_ATTR_TENSOR_IS_VIRTUAL(), true));
    }

    private Tensor virtual(int type, long[] dims, long[] strides) {
        return tensor(type, dims, strides, new Flag(CUDNN_ATTR_TENSOR_IS_VIRTUAL(), true));
    }

    /** F32 memory of the plan's own. */
    Tensor scratch(long... dims) {
        Tensor result = tensor(CUDNN_DATA_FLOAT(), dims, contiguous(dims));
        scratch.add(new Scratch(lastId, 4 * Arrays.stream(dims).reduce(1, Math::multiplyExact)));
        return result;
    }

    Tensor constant(float value) {
        long[] ones = {1, 1, 1, 1};
        Tensor result = tensor(CUDNN_DATA_FLOAT(), ones, ones, new Flag(CUDNN_ATTR_TENSOR_IS_BY_VALUE(), true));
        constants.add(new Constant(lastId, value));
        return result;
    }

    /** C = A B of the last two dimensions. */
    Tensor matmul(Tensor a, Tensor b, Tensor c) {
        Descriptor how = new Descriptor(
                CUDNN_BACKEND_MATMUL_DESCRIPTOR(),
                new Choice(CUDNN_ATTR_MATMUL_COMP_TYPE(), CUDNN_TYPE_DATA_TYPE(), CUDNN_DATA_FLOAT()));
        operations.add(new Descriptor(
                CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR(),
                reference(CUDNN_ATTR_OPERATION_MATMUL_ADESC(), a.descriptor()),
                reference(CUDNN_ATTR_OPERATION_MATMUL_BDESC(), b.descriptor()),
                reference(CUDNN_ATTR_OPERATION_MATMUL_CDESC(), c.descriptor()),
                reference(CUDNN_ATTR_OPERATION_MATMUL_DESC(), how)));
        return c;
    }

    Tensor pointwise(int mode, Tensor x, Tensor y) {
        operations.add(new Descriptor(
                CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR(),
                reference(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR(), mode(mode, CUDNN_DATA_FLOAT())),
                reference(CUDNN_ATTR_OPERATION_POINTWISE_XDESC(), x.descriptor()),
                reference(CUDNN_ATTR_OPERATION_POINTWISE_YDESC(), y.descriptor())));
        return y;
    }

    Tensor pointwise(int mode, Tensor x, Tensor b, Tensor y) {
        boolean logical = y.type() == CUDNN_DATA_BOOLEAN();
        operations.add(new Descriptor(
                CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR(),
                reference(
                        CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR(),
                        mode(mode, logical ? CUDNN_DATA_BOOLEAN() : CUDNN_DATA_FLOAT())),
                reference(CUDNN_ATTR_OPERATION_POINTWISE_XDESC(), x.descriptor()),
                reference(CUDNN_ATTR_OPERATION_POINTWISE_BDESC(), b.descriptor()),
                reference(CUDNN_ATTR_OPERATION_POINTWISE_YDESC(), y.descriptor())));
        return y;
    }

    /** x where the condition holds, else b. */
    Tensor select(Tensor condition, Tensor x, Tensor b, Tensor y) {
        operations.add(new Descriptor(
                CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR(),
                reference(
                        CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR(),
                        mode(CUDNN_POINTWISE_BINARY_SELECT(), CUDNN_DATA_FLOAT())),
                reference(CUDNN_ATTR_OPERATION_POINTWISE_XDESC(), x.descriptor()),
                reference(CUDNN_ATTR_OPERATION_POINTWISE_BDESC(), b.descriptor()),
                reference(CUDNN_ATTR_OPERATION_POINTWISE_TDESC(), condition.descriptor()),
                reference(CUDNN_ATTR_OPERATION_POINTWISE_YDESC(), y.descriptor())));
        return y;
    }

    /** Each element's place along an axis. */
    Tensor index(Tensor like, int axis) {
        Tensor y = virtual(CUDNN_DATA_INT32(), like.dims());
        Descriptor how = new Descriptor(
                CUDNN_BACKEND_POINTWISE_DESCRIPTOR(),
                new Choice(CUDNN_ATTR_POINTWISE_MODE(), CUDNN_TYPE_POINTWISE_MODE(), CUDNN_POINTWISE_GEN_INDEX()),
                new Choice(CUDNN_ATTR_POINTWISE_MATH_PREC(), CUDNN_TYPE_DATA_TYPE(), CUDNN_DATA_FLOAT()),
                new Longs(CUDNN_ATTR_POINTWISE_AXIS(), List.of((long) axis)));
        operations.add(new Descriptor(
                CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR(),
                reference(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR(), how),
                reference(CUDNN_ATTR_OPERATION_POINTWISE_XDESC(), like.descriptor()),
                reference(CUDNN_ATTR_OPERATION_POINTWISE_YDESC(), y.descriptor())));
        return y;
    }

    private static Descriptor mode(int mode, int compute) {
        return new Descriptor(
                CUDNN_BACKEND_POINTWISE_DESCRIPTOR(),
                new Choice(CUDNN_ATTR_POINTWISE_MODE(), CUDNN_TYPE_POINTWISE_MODE(), mode),
                new Choice(CUDNN_ATTR_POINTWISE_MATH_PREC(), CUDNN_TYPE_DATA_TYPE(), compute));
    }

    /** Over the dimensions that are 1 in y. */
    Tensor reduce(int operator, Tensor x, Tensor y) {
        Descriptor how = new Descriptor(
                CUDNN_BACKEND_REDUCTION_DESCRIPTOR(),
                new Choice(CUDNN_ATTR_REDUCTION_OPERATOR(), CUDNN_TYPE_REDUCTION_OPERATOR_TYPE(), operator),
                new Choice(CUDNN_ATTR_REDUCTION_COMP_TYPE(), CUDNN_TYPE_DATA_TYPE(), CUDNN_DATA_FLOAT()));
        operations.add(new Descriptor(
                CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR(),
                reference(CUDNN_ATTR_OPERATION_REDUCTION_XDESC(), x.descriptor()),
                reference(CUDNN_ATTR_OPERATION_REDUCTION_YDESC(), y.descriptor()),
                reference(CUDNN_ATTR_OPERATION_REDUCTION_DESC(), how)));
        return y;
    }

    /** The last two dimensions the other way round, in the given type: the same memory read with other strides. */
    Tensor transposed(Tensor x, int type) {
        int rank = x.dims().length;
        long[] dims = x.dims().clone(), strides = x.strides().clone();
        dims[rank - 2] = x.dims()[rank - 1];
        dims[rank - 1] = x.dims()[rank - 2];
        strides[rank - 2] = x.strides()[rank - 1];
        strides[rank - 1] = x.strides()[rank - 2];
        Tensor y = virtual(type, dims, strides);
        operations.add(new Descriptor(
                CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR(),
                reference(CUDNN_ATTR_OPERATION_RESHAPE_XDESC(), x.descriptor()),
                reference(CUDNN_ATTR_OPERATION_RESHAPE_YDESC(), y.descriptor())));
        return y;
    }

    private static Descriptor.Attribute reference(int name, Descriptor descriptor) {
        return new References(name, List.of(descriptor));
    }

    DnnGraph graph(String what) {
        return new DnnGraph(operations, operands, bytes, constants, scratch, what);
    }
}
