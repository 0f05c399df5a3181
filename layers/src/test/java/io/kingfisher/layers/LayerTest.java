package io.kingfisher.layers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.DoubleStream;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Conv2dImpl;
import org.bytedeco.pytorch.Conv2dOptions;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.MultiheadAttentionImpl;
import org.junit.jupiter.api.Test;

/** Paths, memory, initial values and errors of layers. */
class LayerTest {
    private static Layer model() {
        return new Sequential()
                .add("stem", new Conv2d(2, 4, 3, 1, 1))
                .add("norm", new BatchNorm2d(4))
                .add("flatten", new Flatten())
                .add("head", new Residual(new Linear(64, 64), new Linear(64, 64, false)));
    }

    @Test
    void pathsAreThoseOfAStateDict() {
        assertEquals(
                List.of(
                        "stem.weight F32[4x2x3x3]",
                        "stem.bias F32[4]",
                        "norm.weight F32[4]",
                        "norm.bias F32[4]",
                        "norm.running_mean F32[4]",
                        "norm.running_var F32[4]",
                        "norm.num_batches_tracked I32[]",
                        "head.body.weight F32[64x64]",
                        "head.body.bias F32[64]",
                        "head.shortcut.weight F32[64x64]"),
                model().variables().stream().map(Variable::toString).toList());
        assertEquals("weight", new Linear(2, 3).weight().path());
        assertEquals(7, model().parameters().size());
        assertEquals(3, model().buffers().size());
    }

    @Test
    void findsByPath() {
        Layer model = model();
        assertSame(model.parameters().get(0), model.variable("stem.weight"));
        var error = assertThrows(KingfisherException.class, () -> model.variable("stem.wieght"));
        assertTrue(error.getMessage().contains("did you mean stem.weight"), error.getMessage());
    }

    @Test
    void closingFreesEverything() {
        try (Device device = Against.device()) {
            int before = device.live();
            Layer model = model();
            model.initialize(device, 1);
            assertEquals(before + 10, device.live());
            assertThrows(KingfisherException.class, () -> model.initialize(device, 1));
            model.close();
            assertEquals(before, device.live());
            model.close();
        }
    }

    @Test
    void initialValuesDependOnSeedAndPathAlone() {
        try (Device device = Against.device();
                Layer first = model();
                Layer second = model();
                Layer other = model();
                Sequential more = new Sequential().add("extra", new Linear(9, 9))) {
            first.initialize(device, 4);
            second.initialize(device, 4);
            other.initialize(device, 5);
            more.add("stem", new Conv2d(2, 4, 3, 1, 1));
            more.initialize(device, 4);
            double[] values = first.variable("stem.weight").tensor().doubles();
            assertArrayEquals(values, second.variable("stem.weight").tensor().doubles());
            assertArrayEquals(values, more.variable("stem.weight").tensor().doubles());
            assertFalse(
                    Arrays.equals(values, other.variable("stem.weight").tensor().doubles()));
            assertFalse(Arrays.equals(
                    first.variable("head.body.weight").tensor().doubles(),
                    first.variable("head.shortcut.weight").tensor().doubles()));
        }
    }

    /** The bound and the deviation of the values are those of libtorch's own modules. */
    @Test
    void defaultsAreThoseOfLibtorch() {
        try (Device device = Against.device();
                Linear linear = new Linear(300, 200);
                Conv2d conv = new Conv2d(30, 40, 5, 1, 0);
                MultiHeadAttention attention = new MultiHeadAttention(96, 4, false);
                PointerScope _ = new PointerScope()) {
            linear.initialize(device, 1);
            conv.initialize(device, 1);
            attention.initialize(device, 1);
            LinearImpl l = new LinearImpl(300, 200);
            Conv2dImpl c = new Conv2dImpl(new Conv2dOptions(30, 40, new LongPointer(5, 5)));
            MultiheadAttentionImpl a = new MultiheadAttentionImpl(96, 4);
            alike(Torch.doubles(l.weight()), linear.weight(), 0.02);
            alike(Torch.doubles(l.bias()), linear.bias().orElseThrow(), 0.2);
            alike(Torch.doubles(c.weight()), conv.weight(), 0.02);
            alike(Torch.doubles(c.bias()), conv.bias().orElseThrow(), 0.4);
            alike(Torch.doubles(a.in_proj_weight()), attention.inWeight(), 0.02);
            alike(Torch.doubles(a.in_proj_bias()), attention.inBias(), 0);
            alike(new double[96], attention.out().bias().orElseThrow(), 0);
        }
    }

    private static void alike(double[] expected, Parameter p, double tolerance) {
        double[] found = p.tensor().doubles();
        assertEquals(expected.length, found.length);
        double bound = largest(expected);
        assertEquals(bound, largest(found), tolerance * bound, "the bound of " + p);
        assertEquals(deviation(expected), deviation(found), tolerance * deviation(expected), "the deviation of " + p);
    }

    private static double largest(double[] values) {
        return DoubleStream.of(values).map(Math::abs).max().orElseThrow();
    }

    private static double deviation(double[] values) {
        return Math.sqrt(DoubleStream.of(values).map(v -> v * v).average().orElseThrow());
    }

    @Test
    void normalInitialValues() {
        try (Device device = Against.device();
                Embedding embedding = new Embedding(333, 111)) {
            embedding.initialize(device, 2);
            double[] values = embedding.weight().tensor().doubles();
            int n = values.length;
            assertEquals(0, DoubleStream.of(values).average().orElseThrow(), 5 / Math.sqrt(n));
            assertEquals(1, DoubleStream.of(values).map(v -> v * v).average().orElseThrow(), 5 * Math.sqrt(2.0 / n));
            assertEquals(
                    3,
                    DoubleStream.of(values).map(v -> v * v * v * v).average().orElseThrow(),
                    5 * Math.sqrt(96.0 / n));
        }
    }

    /** Known answers published with Random123 (kat_vectors, philox 4x32 10). */
    @Test
    void philoxIsPhilox() {
        philox(0, 0, 0, "6627e8d5e169c58dbc57ac4c9b00dbd8");
        philox(-1, -1, -1, "408f276d41c83b0ea20bc7c66d5451fd");
        philox(0x85a308d3243f6a88L, 0x0370734413198a2eL, 0x299f31d0a4093822L, "d16cfe0994fdcceb5001e42024126ea1");
    }

    private static void philox(long low, long high, long key, String expected) {
        int[] words = new int[4];
        Philox.block(low, high, key, words);
        StringBuilder text = new StringBuilder();
        for (int word : words) {
            text.append(HexFormat.of().toHexDigits(word));
        }
        assertEquals(expected, text.toString());
    }

    @Test
    void errorsNameTheLayer() {
        Layer model = model();
        Graph graph = new Graph();
        Value x = graph.input("x", DType.F32, 1, 2, 4, 4);
        Recording r = Recording.eval(graph);
        var unset = assertThrows(KingfisherException.class, () -> model.apply(r, x));
        assertTrue(unset.getMessage().contains("stem.weight"), unset.getMessage());
        try (Device device = Against.device()) {
            model.initialize(device, 1);
            Value wrong = graph.input("wrong", DType.F32, 1, 3, 4, 4);
            var shape = assertThrows(KingfisherException.class, () -> model.apply(r, wrong));
            assertTrue(shape.getMessage().contains("stem"), shape.getMessage());
            Value small = graph.input("small", DType.F32, 1, 2, 3, 4);
            var head = assertThrows(KingfisherException.class, () -> model.apply(r, small));
            assertTrue(head.getMessage().contains("head.body"), head.getMessage());
        }
    }

    @Test
    void refusesBadNames() {
        Sequential model = new Sequential().add("a", new Flatten());
        assertThrows(KingfisherException.class, () -> model.add("a", new Flatten()));
        assertThrows(KingfisherException.class, () -> model.add("a.b", new Flatten()));
        assertThrows(KingfisherException.class, () -> model.add("", new Flatten()));
        assertThrows(KingfisherException.class, () -> model.add("b", model));
        assertThrows(KingfisherException.class, () -> new Conv2d(3, 4, 0, 1, 1));
    }
}
