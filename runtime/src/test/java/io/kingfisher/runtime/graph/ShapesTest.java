package io.kingfisher.runtime.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What does not fit together is refused while recording, with the shapes in the message. */
class ShapesTest {
    private final Graph g = new Graph();

    private Value f32(long... shape) {
        return g.input("x" + g.inputs().size(), DType.F32, shape);
    }

    private Value i32(long... shape) {
        return g.input("x" + g.inputs().size(), DType.I32, shape);
    }

    private static void refused(String part, Runnable recording) {
        var e = assertThrows(KingfisherException.class, recording::run);
        assertTrue(e.getMessage().contains(part), e.getMessage());
        assertTrue(e.getMessage().endsWith("."), e.getMessage());
    }

    @Test
    void elementwise() {
        refused("[2x3] and [2x4] do not broadcast", () -> f32(2, 3).add(f32(2, 4)));
        refused("reads argument 1", () -> g.map(Expr.arg(0).add(Expr.arg(1)), f32(2)));
        refused("one type for each", () -> g.map(List.of(Expr.arg(0)), List.of(), List.of(f32(2))));
        assertEquals(Shape.of(2, 3, 4), f32(2, 1, 4).mul(f32(3, 1)).shape());
        assertEquals(DType.F64, f32(2).add(f32(2).cast(DType.F64)).dtype());
        assertEquals(DType.F32, i32(2).add(i32(2)).dtype());
    }

    @Test
    void reductions() {
        refused("floating", () -> i32(3).sum());
        refused("no axis 2", () -> f32(3, 4).sum(2));
        refused("no axis -3", () -> f32(3, 4).sum(-3));
        assertEquals(Shape.of(3), f32(3, 4, 5).sum(-1, 1, 1).shape());
        assertEquals(
                Shape.of(3, 1, 1),
                f32(3, 4, 5).reduce(Reduce.Kind.MAX, true, 1, 2).shape());
        assertEquals(Shape.SCALAR, f32(3, 4).max().shape());
        assertEquals(20, f32(3, 4, 5).reduced(1, -1));
    }

    @Test
    void movements() {
        refused(
                "[2x3] with 6 elements cannot be reshaped to [4]",
                () -> f32(2, 3).reshape(4));
        refused("cannot be reshaped", () -> f32(2, 3).reshape(-1, 4));
        refused("cannot be reshaped", () -> f32(0, 3).reshape(-1, 0));
        refused("no permutation", () -> f32(2, 3).transpose(0, 0));
        refused("no permutation", () -> f32(2, 3).transpose(0));
        refused("no axis 2", () -> f32(2, 3).transpose(0, 2));
        refused("two axes", () -> f32(2).t());
        refused("leaves the shape [2x3]", () -> f32(2, 3).slice(1, 2, 5));
        refused("leaves the shape [2x3]", () -> f32(2, 3).slice(1, 2, 1));
        refused("leaves the shape [2x3]", () -> f32(2, 3).slice(1, -1, 1));
        refused("leaves the shape", () -> g.add(new Movement.Slice(List.of(Long.MAX_VALUE), List.of(2L)), f32(3)));
        refused("does not broadcast", () -> f32(2, 3).broadcastTo(Shape.of(3)));
        refused("do not broadcast", () -> f32(2, 3).broadcastTo(Shape.of(2, 4)));
        refused("Cannot concatenate", () -> g.concat(0, List.of(f32(2, 3), f32(2, 4))));
        refused("Cannot concatenate", () -> g.concat(0, List.of(f32(2), i32(2))));
        refused("nothing to concatenate", () -> g.concat(0, List.of()));
        refused("padding", () -> g.add(new Movement.Pad(List.of(-1L), List.of(2L)), f32(3)));
        refused("padding", () -> g.add(new Movement.Pad(List.of(1L, 1L), List.of(2L, 2L)), f32(3)));
        assertEquals(Shape.of(2, 7), g.concat(-1, List.of(f32(2, 3), f32(2, 4))).shape());
    }

    @Test
    void products() {
        refused("Cannot multiply F32[2x3] by F32[2x3]", () -> f32(2, 3).matmul(f32(2, 3)));
        refused("Cannot multiply", () -> f32(3).matmul(f32(3, 2)));
        refused("Cannot multiply", () -> i32(2, 3).matmul(i32(3, 2)));
        refused("Cannot multiply", () -> f32(2, 3).matmul(f32(3, 2).cast(DType.F64)));
        refused("do not broadcast", () -> f32(2, 2, 3).matmul(f32(3, 3, 2)));
        assertEquals(
                Shape.of(5, 2, 4), f32(5, 3, 2).matmul(f32(4, 3), true, true).shape());
    }

    @Test
    void convolutions() {
        Convolution c = Convolution.of(1, 0, 1, 1);
        refused("Cannot convolve", () -> Conv2d.record(c, f32(1, 3, 5, 5), f32(2, 4, 3, 3)));
        refused("must fit", () -> Conv2d.record(c, f32(1, 3, 2, 5), f32(2, 3, 3, 3)));
        refused("Cannot convolve", () -> Conv2d.record(c, f32(3, 5, 5), f32(2, 3, 3, 3)));
        refused(
                "multiple of the groups",
                () -> Conv2d.record(Convolution.of(1, 0, 1, 2), f32(1, 4, 5, 5), f32(3, 2, 3, 3)));
        refused(
                "one floating type",
                () -> Conv2d.record(c, f32(1, 3, 5, 5), f32(2, 3, 3, 3).cast(DType.F64)));
        refused("at least 1", () -> Convolution.of(0, 0, 1, 1));
        refused("at least 0", () -> Convolution.of(1, -1, 1, 1));
        refused(
                "no output [1x2x4x4]",
                () -> Conv2dInputGrad.record(c, Shape.of(1, 3, 5, 5), f32(1, 2, 4, 4), f32(2, 3, 3, 3)));
        refused("no output", () -> Conv2dWeightGrad.record(c, Shape.of(2, 3, 3, 3), f32(1, 3, 5, 5), f32(1, 2, 4, 4)));
    }

    @Test
    void pools() {
        refused("1 to 256 cells", () -> Pool.Window.of(17, 1, 0));
        refused("at most half", () -> Pool.Window.of(3, 1, 2));
        refused("Cannot pool", () -> g.add(new Pool.MaxPool2d(Pool.Window.of(3, 1, 0)), f32(1, 1, 2, 4)));
        refused("Cannot pool", () -> g.add(new Pool.AvgPool2d(Pool.Window.of(2, 1, 0)), f32(1, 2, 4)));
        refused("floating", () -> g.add(new Pool.MaxPool2d(Pool.Window.of(2, 1, 0)), i32(1, 1, 2, 4)));
        refused(
                "no output",
                () -> g.add(new Pool.AvgPool2dGrad(Pool.Window.of(2, 2, 0), Shape.of(1, 1, 4, 4)), f32(1, 1, 3, 3)));
    }

    @Test
    void normsAndLosses() {
        refused("scale [C]", () -> g.add(new BatchNorm(1e-5), f32(2, 3, 4), f32(4), f32(4)));
        refused("scale [C]", () -> g.add(new BatchNorm(1e-5), f32(3), f32(3), f32(3)));
        refused("floating type", () -> g.add(new BatchNorm(1e-5), f32(2, 3).cast(DType.F64), f32(3), f32(3)));
        refused("scale [D]", () -> g.add(new LayerNorm(1e-5), f32(2, 3, 4), f32(3), f32(3)));
        refused("scale [D]", () -> g.add(new LayerNorm(1e-5), f32(2, 4), f32(4), f32(1)));
        refused("at least one axis", () -> f32().softmax());
        refused("labels [N]", () -> g.add(new SoftmaxCrossEntropy(0, -1), f32(2, 3), i32(3)));
        refused("labels [N]", () -> g.add(new SoftmaxCrossEntropy(0, -1), f32(2, 3), f32(2)));
        refused("logits [N x C]", () -> g.add(new SoftmaxCrossEntropy(0, -1), f32(2, 3, 4), i32(2)));
        refused("floating logits", () -> g.add(new SoftmaxCrossEntropy(0, -1), i32(2, 3), i32(2)));
    }

    @Test
    void tablesAndRandomNumbers() {
        refused("I32 indices", () -> f32(4, 3).gather(f32(2)));
        refused("table of rows", () -> f32().gather(i32(2)));
        refused("I32 indices", () -> g.add(new ScatterAdd(4), i32(2), f32(3, 5)));
        refused("I32[4]", () -> g.random(Random.Distribution.NORMAL, i32(3), 0, Shape.of(2)));
    }

    @Test
    void factorizations() {
        refused("square", () -> g.add(new LinearAlgebra.Cholesky(), f32(2, 3)));
        refused("square", () -> g.add(new LinearAlgebra.Eigh(), f32(2, 3)));
        refused("matrices", () -> g.add(new LinearAlgebra.Svd(), f32(3)));
        refused("F32 or F64", () -> g.add(new LinearAlgebra.Qr(), i32(3, 3)));
        refused("A triangular solve takes", () -> LinearAlgebra.solve(f32(3, 3), f32(2, 3), false));
        refused("A triangular solve takes", () -> LinearAlgebra.solve(f32(2, 3, 3), f32(3, 3), false));
        var qr = g.add(new LinearAlgebra.Qr(), f32(5, 3)).outputs();
        refused(
                "no gradient of QR",
                () -> Autodiff.vjp(
                        qr.subList(1, 2), List.of(f32(3, 3)), qr.get(0).node().inputs()));
    }

    @Test
    void graphs() {
        Value x = f32(2);
        refused("already has an input named 'x0'", () -> g.input("x0", DType.F32, 3));
        g.output("y", x);
        refused("already has an output named 'y'", () -> g.output("y", x));
        refused("belongs to another graph", () -> new Graph().output("y", x));
        refused("belongs to another graph", () -> new Graph().scalar(1).add(x));
        refused("needs 3 numbers, not 2", () -> g.constant(DType.F32, Shape.of(3), 1, 2));
        try (Device device = Device.open("reference");
                Device other = Device.open("reference")) {
            var tensor = device.allocate(DType.F32, Shape.of(3));
            refused("Cannot assign F32[2] to a tensor of F32[3]", () -> g.assign(tensor, x));
            refused("Cannot assign", () -> g.assign(tensor, f32(3).cast(DType.F64)));
            g.assign(tensor, f32(3));
            refused("of the device reference", () -> other.compile(g));
        }
        try (Graph.Scope _ = g.scope("blocks.3.fc1")) {
            refused("In blocks.3.fc1: ", () -> f32(2).add(f32(3)));
        }
    }

    @Test
    void differentiation() {
        Value x = f32(2), y = x.square();
        refused("Only a scalar has gradients", () -> Autodiff.gradients(y, List.of(x)));
        refused("The seed of a gradient", () -> Autodiff.vjp(List.of(y), List.of(f32(3)), List.of(x)));
        refused("The seed of a gradient", () -> Autodiff.vjp(List.of(y), List.of(f32(2).cast(DType.F64)), List.of(x)));
        refused("as many seeds", () -> Autodiff.vjp(List.of(y), List.of(), List.of(x)));
        refused("as many tangents", () -> Autodiff.jvp(List.of(y), List.of(x), List.of()));
        refused("as many parts of the vector", () -> Autodiff.hessianVectorProduct(y.sum(), List.of(x), List.of()));
        refused("floating", () -> Autodiff.gradients(y.sum().cast(DType.I32), List.of(x)));
    }
}
