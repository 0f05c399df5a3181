package io.kingfisher.optimizers.shampoo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

class TilingTest {
    @Test
    void shapesAreSqueezedMergedAndFlattened() {
        assertEquals(Shape.of(1), Tiling.squeezed(Shape.SCALAR));
        assertEquals(Shape.of(1), Tiling.squeezed(Shape.of(1, 1)));
        assertEquals(Shape.of(4, 3, 3), Tiling.squeezed(Shape.of(4, 1, 3, 3)));
        assertEquals(Shape.of(64, 576), Tiling.merged(Shape.of(64, 64, 3, 3), 1024));
        assertEquals(Shape.of(99), Tiling.merged(Shape.of(9, 11), 1024));
        assertEquals(Shape.of(9, 11), Tiling.merged(Shape.of(9, 11), 98));
        assertEquals(Shape.of(4, 9), Tiling.merged(Shape.of(4, 1, 3, 3), 10));
        assertEquals(Shape.of(6, 18), Tiling.matrix(Shape.of(6, 2, 3, 3)));
        assertEquals(Shape.of(6), Tiling.matrix(Shape.of(6)));
        assertEquals(Shape.of(6), Tiling.matrix(Shape.of(6, 1)));
    }

    /** Blocks that fit, that leave a rest, that are larger than an axis; joined again they are what was cut. */
    @Test
    void whatIsCutIsJoined() {
        for (Shape shape : List.of(Shape.of(7), Shape.of(4, 6), Shape.of(5, 7), Shape.of(3, 5, 4), Shape.of(2, 1))) {
            for (long block : new long[] {1, 2, 3, 100}) {
                Tiling tiling = Tiling.of(shape, block);
                long blocks = 1;
                for (long d : shape.toArray()) {
                    blocks *= (d + block - 1) / block;
                }
                assertEquals(
                        blocks,
                        tiling.tiles().stream().mapToLong(Tiling.Tile::groups).sum());
                double[] numbers = DoubleStream.iterate(1, x -> x + 1)
                        .limit(shape.elements())
                        .toArray();
                try (Device device = Device.open("reference", new DeviceOptions(1))) {
                    Graph graph = new Graph();
                    Value x = graph.constant(DType.F32, shape, numbers);
                    List<Value> cut = new ArrayList<>();
                    for (Tiling.Tile tile : tiling.tiles()) {
                        cut.add(tile.cut(x));
                        assertEquals(tile.blocks(), cut.get(tile.index()).shape());
                    }
                    graph.output("joined", tiling.join(cut));
                    try (Program program = device.compile(graph)) {
                        program.replay();
                        assertArrayEquals(numbers, program.output("joined").doubles(), shape + " by " + block);
                    }
                }
            }
        }
    }

    /** The second block of a row of blocks is what stands there. */
    @Test
    void blocksAreContiguousParts() {
        try (Device device = Device.open("reference", new DeviceOptions(1))) {
            Graph graph = new Graph();
            Value x = graph.constant(
                    DType.F32,
                    Shape.of(2, 5),
                    DoubleStream.iterate(0, i -> i + 1).limit(10).toArray());
            Tiling tiling = Tiling.of(Shape.of(2, 5), 2);
            graph.output("whole", tiling.tiles().get(0).cut(x));
            graph.output("rest", tiling.tiles().get(1).cut(x));
            try (Program program = device.compile(graph)) {
                program.replay();
                assertArrayEquals(
                        new double[] {0, 1, 5, 6, 2, 3, 7, 8},
                        program.output("whole").doubles());
                assertArrayEquals(new double[] {4, 9}, program.output("rest").doubles());
            }
        }
    }
}
