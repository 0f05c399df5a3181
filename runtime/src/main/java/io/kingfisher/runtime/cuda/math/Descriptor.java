package io.kingfisher.runtime.cuda.math;

import java.util.List;

/**
 * A descriptor of cuDNN's graph interface before it is made: its type ({@code CUDNN_BACKEND_..._DESCRIPTOR}) and its attributes
 * in order. One that several others name is made once: identity counts.
 */
final class Descriptor {
    private final int type;
    private final List<Attribute> attributes;

    Descriptor(int type, Attribute... attributes) {
        this.type = type;
        this.attributes = List.of(attributes);
    }

    int type() {
        return type;
    }

    List<Attribute> attributes() {
        return attributes;
    }

    /** An attribute's number ({@code CUDNN_ATTR_...}) with its value, whose C type is that of the record. */
    sealed interface Attribute {
        int name();

        /** {@code CUDNN_TYPE_INT64}. */
        record Longs(int name, List<Long> values) implements Attribute {}

        /** An enumeration; {@code type} is its {@code CUDNN_TYPE_...}. */
        record Choice(int name, int type, int value) implements Attribute {}

        /** {@code CUDNN_TYPE_BOOLEAN}. */
        record Flag(int name, boolean value) implements Attribute {}

        /** {@code CUDNN_TYPE_FLOAT}. */
        record Single(int name, float value) implements Attribute {}

        /** {@code CUDNN_TYPE_DOUBLE}. */
        record Twice(int name, double value) implements Attribute {}

        /** {@code CUDNN_TYPE_BACKEND_DESCRIPTOR}. */
        record References(int name, List<Descriptor> values) implements Attribute {}
    }
}
