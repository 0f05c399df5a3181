package io.kingfisher.runtime.graph;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Tensor;
import java.util.Arrays;
import java.util.List;

/** Where values come from. */
public sealed interface Source extends Op {
    Type type();

    @Override
    default List<Type> infer(List<Type> inputs) {
        return List.of(type());
    }

    @Override
    default List<Value> vjp(Node node, List<Value> gradients) {
        return List.of();
    }

    /** What the host writes before each replay, into memory at a fixed address. */
    record Input(String name, Type type) implements Source {}

    /** A tensor that outlives the program: a parameter, a running mean, a moment, a learning rate. */
    record Bound(Tensor tensor) implements Source {
        @Override
        public Type type() {
            return new Type(tensor.dtype(), tensor.shape());
        }
    }

    /** The same number in every element. */
    record Fill(Type type, double value) implements Source {}

    /** Numbers known while recording, in row-major order: positions, masks, small tables. */
    record Constant(Type type, double[] values) implements Source {
        public Constant {
            if (values.length != type.shape().elements()) {
                throw new KingfisherException("A constant of shape " + type.shape() + " needs "
                        + type.shape().elements() + " numbers, not " + values.length + ".");
            }
            values = values.clone();
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Constant c && type.equals(c.type) && Arrays.equals(values, c.values);
        }

        @Override
        public int hashCode() {
            return 31 * type.hashCode() + Arrays.hashCode(values);
        }

        @Override
        public String toString() {
            return "Constant[" + type + "]";
        }
    }
}
