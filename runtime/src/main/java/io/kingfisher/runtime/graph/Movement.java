package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Shape;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Ops that place elements elsewhere without computing anything. */
public sealed interface Movement extends Op {
    /** The input's gradient, for the output's. */
    Value backward(Node node, Value dy);

    @Override
    default List<Value> vjp(Node node, List<Value> gradients) {
        Value dy = gradients.get(0);
        return dy == null ? Collections.singletonList(null) : List.of(backward(node, dy));
    }

    /** The same elements in row-major order under another shape. */
    record Reshape(Shape shape) implements Movement {
        @Override
        public List<Type> infer(List<Type> inputs) {
            Type in = inputs.get(0);
            if (in.shape().elements() != shape.elements()) {
                throw new KingfisherException("The shape " + in.shape() + " with "
                        + in.shape().elements() + " elements cannot be reshaped to " + shape + " with "
                        + shape.elements() + ".");
            }
            return List.of(new Type(in.dtype(), shape));
        }

        @Override
        public Value backward(Node node, Value dy) {
            return dy.reshape(node.input(0).shape());
        }
    }

    /** Axis i of the result is axis {@code order.get(i)} of the input. */
    record Transpose(List<Integer> order) implements Movement {
        public Transpose {
            order = List.copyOf(order);
        }

        @Override
        public List<Type> infer(List<Type> inputs) {
            Type in = inputs.get(0);
            boolean permutation = order.size() == in.shape().rank()
                    && order.stream()
                            .sorted()
                            .toList()
                            .equals(Graph.list(IntStream.range(0, order.size()).toArray()));
            if (!permutation) {
                throw new KingfisherException(
                        "The order " + order + " is no permutation of the axes of " + in.shape() + ".");
            }
            long[] extents =
                    order.stream().mapToLong(axis -> in.shape().dim(axis)).toArray();
            return List.of(new Type(in.dtype(), Shape.of(extents)));
        }

        @Override
        public Value backward(Node node, Value dy) {
            int[] inverse = new int[order.size()];
            for (int i = 0; i < inverse.length; i++) {
                inverse[order.get(i)] = i;
            }
            return dy.transpose(inverse);
        }
    }

    /** Repeated along missing axes and axes of extent 1. */
    record Broadcast(Shape shape) implements Movement {
        @Override
        public List<Type> infer(List<Type> inputs) {
            Type in = inputs.get(0);
            if (!in.shape().broadcast(shape).equals(shape)) {
                throw new KingfisherException("The shape " + in.shape() + " does not broadcast to " + shape + ".");
            }
            return List.of(new Type(in.dtype(), shape));
        }

        @Override
        public Value backward(Node node, Value dy) {
            return dy.sumTo(node.input(0).shape());
        }
    }

    /** A box of the input: {@code sizes} elements from {@code starts} on. */
    record Slice(List<Long> starts, List<Long> sizes) implements Movement {
        public Slice {
            starts = List.copyOf(starts);
            sizes = List.copyOf(sizes);
        }

        @Override
        public List<Type> infer(List<Type> inputs) {
            Type in = inputs.get(0);
            boolean fits = starts.size() == in.shape().rank() && sizes.size() == starts.size();
            for (int i = 0; fits && i < starts.size(); i++) {
                fits = starts.get(i) >= 0
                        && sizes.get(i) >= 0
                        && sizes.get(i) <= in.shape().dim(i) - starts.get(i);
            }
            if (!fits) {
                throw new KingfisherException(
                        "The slice of " + sizes + " from " + starts + " on leaves the shape " + in.shape() + ".");
            }
            return List.of(new Type(
                    in.dtype(), Shape.of(sizes.stream().mapToLong(size -> size).toArray())));
        }

        @Override
        public Value backward(Node node, Value dy) {
            List<Long> after = new ArrayList<>();
            for (int i = 0; i < starts.size(); i++) {
                after.add(node.input(0).dim(i) - starts.get(i) - sizes.get(i));
            }
            return dy.graph().add(new Pad(starts, after), dy).output(0);
        }
    }

    /** The input with zeros before and after it along each axis. */
    record Pad(List<Long> before, List<Long> after) implements Movement {
        public Pad {
            before = List.copyOf(before);
            after = List.copyOf(after);
        }

        private boolean untouched(int axis) {
            return before.get(axis) == 0 && after.get(axis) == 0;
        }

        @Override
        public List<Type> infer(List<Type> inputs) {
            Type in = inputs.get(0);
            if (before.size() != in.shape().rank()
                    || after.size() != before.size()
                    || before.stream().anyMatch(n -> n < 0)
                    || after.stream().anyMatch(n -> n < 0)) {
                throw new KingfisherException(
                        "The padding " + before + ", " + after + " does not fit the shape " + in.shape() + ".");
            }
            long[] extents = in.shape().toArray();
            for (int i = 0; i < extents.length; i++) {
                extents[i] += before.get(i) + after.get(i);
            }
            return List.of(new Type(in.dtype(), Shape.of(extents)));
        }

        @Override
        public Value backward(Node node, Value dy) {
            List<Long> sizes = Graph.list(node.input(0).shape().toArray());
            return dy.graph().add(new Slice(before, sizes), dy).output(0);
        }
    }

    /** The inputs one after another along an axis. */
    record Concat(int axis) implements Movement {
        @Override
        public List<Type> infer(List<Type> inputs) {
            if (inputs.isEmpty()) {
                throw new KingfisherException("There is nothing to concatenate; give at least one value.");
            }
            Shape first = inputs.get(0).shape();
            DType dtype = inputs.get(0).dtype();
            long total = 0;
            for (Type type : inputs) {
                if (type.dtype() != dtype
                        || type.shape().rank() != first.rank()
                        || !type.shape().with(axis, 0).equals(first.with(axis, 0))) {
                    throw new KingfisherException("Cannot concatenate " + inputs + " along axis " + axis
                            + ": types and all other extents must agree.");
                }
                total += type.shape().dim(axis);
            }
            return List.of(new Type(dtype, first.with(axis, total)));
        }

        @Override
        public List<Value> vjp(Node node, List<Value> gradients) {
            Value dy = gradients.get(0);
            List<Value> result = new ArrayList<>();
            long from = 0;
            for (Value input : node.inputs()) {
                long to = from + input.dim(axis);
                result.add(dy == null ? null : dy.slice(axis, from, to));
                from = to;
            }
            return result;
        }

        @Override
        public Value backward(Node node, Value dy) {
            return vjp(node, List.of(dy)).get(0);
        }

        /**
         * The sum of values as a concatenation, where they are pads along one axis whose insides fill it side by side:
         * what becomes of the gradients of slices that a value was cut into.
         */
        static Optional<Value> ofPads(List<Value> parts) {
            List<Value> sorted = new ArrayList<>(parts);
            List<Pad> pads = new ArrayList<>();
            for (Value part : parts) {
                if (!(part.node().op() instanceof Pad pad)) {
                    return Optional.empty();
                }
                pads.add(pad);
            }
            int axis = 0;
            while (axis < parts.get(0).rank() && pads.get(0).untouched(axis)) {
                axis++;
            }
            int along = axis;
            for (int i = 0; i < parts.get(0).rank(); i++) {
                int other = i;
                if (i != along && !pads.stream().allMatch(pad -> pad.untouched(other))) {
                    return Optional.empty();
                }
            }
            if (along == parts.get(0).rank()) {
                return Optional.empty();
            }
            sorted.sort(Comparator.comparingLong(part -> before(part, along)));
            long filled = 0;
            List<Value> insides = new ArrayList<>();
            for (Value part : sorted) {
                Value inside = part.node().input(0);
                if (before(part, along) != filled) {
                    return Optional.empty();
                }
                filled += inside.dim(along);
                insides.add(inside);
            }
            return filled == parts.get(0).dim(along)
                    ? Optional.of(parts.get(0).graph().concat(along, insides))
                    : Optional.empty();
        }

        private static long before(Value pad, int axis) {
            return ((Pad) pad.node().op()).before().get(axis);
        }
    }
}
