package io.kingfisher.optimizers.shampoo;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * A parameter seen as a tensor of some axes and cut into blocks. Blocks of the same extents are stacked as one tile; an axis
 * that is no multiple of the block leaves a smaller last one.
 *
 * @param view the tensor's shape, at least one axis
 * @param tiles all blocks, the last axis' parts first
 */
record Tiling(Shape view, List<Tile> tiles) {
    /**
     * Blocks of equal extents.
     *
     * @param index of the tile in its tiling
     * @param from where the first begins, axis by axis
     * @param counts how many there are along each axis
     * @param extents the extents of one
     */
    record Tile(int index, List<Long> from, List<Long> counts, List<Long> extents) {
        /** The number of blocks. */
        long groups() {
            return product(counts);
        }

        /** The blocks [groups x extents] of a value of the view's shape. */
        Value cut(Value view) {
            Value slab = view;
            List<Long> split = new ArrayList<>();
            int k = counts.size();
            int[] order = new int[2 * k];
            for (int axis = 0; axis < k; axis++) {
                slab = slab.slice(axis, from.get(axis), from.get(axis) + counts.get(axis) * extents.get(axis));
                split.add(counts.get(axis));
                split.add(extents.get(axis));
                order[axis] = 2 * axis;
                order[k + axis] = 2 * axis + 1;
            }
            return slab.reshape(shape(split)).transpose(order).reshape(blocks());
        }

        /** [groups x extents]. */
        Shape blocks() {
            return Shape.of(groups()).concat(shape(extents));
        }

        /** The reverse of {@link #cut}: the part of the view that the blocks are. */
        private Value slab(Value blocks) {
            int k = counts.size();
            int[] order = new int[2 * k];
            List<Long> whole = new ArrayList<>();
            for (int axis = 0; axis < k; axis++) {
                order[2 * axis] = axis;
                order[2 * axis + 1] = k + axis;
                whole.add(counts.get(axis) * extents.get(axis));
            }
            return blocks.reshape(shape(counts).concat(shape(extents)))
                    .transpose(order)
                    .reshape(shape(whole));
        }
    }

    /** Blocks of at most so many along each axis. */
    static Tiling of(Shape view, long block) {
        List<List<Long>> from = List.of(List.of()), counts = from, extents = from;
        for (long extent : view.toArray()) {
            long whole = extent / block, rest = extent % block;
            List<List<Long>> nextFrom = new ArrayList<>(), nextCounts = new ArrayList<>(), next = new ArrayList<>();
            for (int i = 0; i < from.size(); i++) {
                if (whole > 0) {
                    nextFrom.add(with(from.get(i), 0));
                    nextCounts.add(with(counts.get(i), whole));
                    next.add(with(extents.get(i), block));
                }
                if (rest > 0) {
                    nextFrom.add(with(from.get(i), whole * block));
                    nextCounts.add(with(counts.get(i), 1));
                    next.add(with(extents.get(i), rest));
                }
            }
            from = nextFrom;
            counts = nextCounts;
            extents = next;
        }
        List<Tile> tiles = new ArrayList<>();
        for (int i = 0; i < from.size(); i++) {
            tiles.add(new Tile(i, from.get(i), counts.get(i), extents.get(i)));
        }
        return new Tiling(view, List.copyOf(tiles));
    }

    /** One block. */
    static Tiling whole(Shape view) {
        return of(
                view, Math.max(1, java.util.Arrays.stream(view.toArray()).max().orElse(1)));
    }

    /** A shape without its axes of extent 1; [1] where there are no others. */
    static Shape squeezed(Shape shape) {
        long[] kept =
                java.util.Arrays.stream(shape.toArray()).filter(d -> d != 1).toArray();
        return kept.length == 0 ? Shape.of(1) : Shape.of(kept);
    }

    /** A shape without its axes of extent 1, from the first on each joined with the next while they make at most so many. */
    static Shape merged(Shape shape, long limit) {
        List<Long> axes = new ArrayList<>();
        for (long extent : squeezed(shape).toArray()) {
            int last = axes.size() - 1;
            if (last >= 0 && axes.get(last) * extent <= limit) {
                axes.set(last, axes.get(last) * extent);
            } else {
                axes.add(extent);
            }
        }
        return shape(axes);
    }

    /** The axes after the first as one: a convolution's kernel as outputs by entries of a patch. */
    static Shape matrix(Shape shape) {
        return squeezed(shape.rank() < 2 ? shape : Shape.of(shape.dim(0), shape.elements() / shape.dim(0)));
    }

    /** The reverse of cutting all tiles: a value of the view's shape. */
    Value join(List<Value> blocks) {
        List<Value> slabs = new ArrayList<>();
        for (Tile tile : tiles) {
            slabs.add(tile.slab(blocks.get(tile.index())));
        }
        return join(slabs, 0, 0, tiles.size());
    }

    private Value join(List<Value> slabs, int axis, int first, int end) {
        if (end - first == 1) {
            return slabs.get(first);
        }
        List<Value> parts = new ArrayList<>();
        for (int i = first; i < end; ) {
            int next = i;
            while (next < end
                    && tiles.get(next)
                            .from()
                            .get(axis)
                            .equals(tiles.get(i).from().get(axis))) {
                next++;
            }
            parts.add(join(slabs, axis + 1, i, next));
            i = next;
        }
        return parts.get(0).graph().concat(axis, parts);
    }

    private static List<Long> with(List<Long> list, long last) {
        List<Long> result = new ArrayList<>(list);
        result.add(last);
        return List.copyOf(result);
    }

    private static long product(List<Long> factors) {
        return factors.stream().reduce(1L, (a, b) -> a * b);
    }

    private static Shape shape(List<Long> extents) {
        return Shape.of(extents.stream().mapToLong(Long::longValue).toArray());
    }
}
