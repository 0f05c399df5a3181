package io.kingfisher.runtime.cuda.math;

import static io.kingfisher.nativebindings.cudnn.generated.cudnn_h.*;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.kingfisher.nativebindings.NativeHandle;
import io.kingfisher.nativebindings.cudnn.Cudnn;
import io.kingfisher.runtime.cuda.math.Descriptor.Attribute;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Descriptors of cuDNN made from ours, and others that belong to them; closed together, the last first. */
final class DnnObjects implements AutoCloseable {
    private final Deque<NativeHandle> owned = new ArrayDeque<>();
    private final Map<Descriptor, MemorySegment> made = new IdentityHashMap<>();

    /** A descriptor that is not finalized yet. */
    MemorySegment create(int type) {
        NativeHandle handle = Cudnn.descriptor(type);
        owned.push(handle);
        return handle.handle();
    }

    static void finish(MemorySegment descriptor) {
        Cudnn.check("cudnnBackendFinalize", cudnnBackendFinalize(descriptor));
    }

    /** The descriptor with all that it refers to. */
    MemorySegment make(Descriptor d) {
        MemorySegment existing = made.get(d);
        if (existing != null) {
            return existing;
        }
        MemorySegment descriptor = create(d.type());
        try (Arena arena = Arena.ofConfined()) {
            for (Attribute attribute : d.attributes()) {
                set(arena, descriptor, attribute);
            }
        }
        finish(descriptor);
        made.put(d, descriptor);
        return descriptor;
    }

    private void set(Arena arena, MemorySegment descriptor, Attribute attribute) {
        switch (attribute) {
            case Attribute.Longs(int name, List<Long> values) -> {
                long[] numbers = values.stream().mapToLong(Long::longValue).toArray();
                set(descriptor, name, CUDNN_TYPE_INT64(), numbers.length, arena.allocateFrom(JAVA_LONG, numbers));
            }
            case Attribute.Choice(int name, int type, int value) ->
                set(descriptor, name, type, 1, arena.allocateFrom(JAVA_INT, value));
            case Attribute.Flag(int name, boolean value) -> {
                MemorySegment flag = arena.allocate(JAVA_BOOLEAN);
                flag.set(JAVA_BOOLEAN, 0, value);
                set(descriptor, name, CUDNN_TYPE_BOOLEAN(), 1, flag);
            }
            case Attribute.Single(int name, float value) ->
                set(descriptor, name, CUDNN_TYPE_FLOAT(), 1, arena.allocateFrom(JAVA_FLOAT, value));
            case Attribute.Twice(int name, double value) ->
                set(descriptor, name, CUDNN_TYPE_DOUBLE(), 1, arena.allocateFrom(JAVA_DOUBLE, value));
            case Attribute.References(int name, List<Descriptor> values) ->
                set(
                        descriptor,
                        name,
                        CUDNN_TYPE_BACKEND_DESCRIPTOR(),
                        values.size(),
                        pointers(arena, values.stream().map(this::make).toArray(MemorySegment[]::new)));
        }
    }

    static void set(MemorySegment descriptor, int name, int type, long count, MemorySegment values) {
        Cudnn.check("cudnnBackendSetAttribute", cudnnBackendSetAttribute(descriptor, name, type, count, values));
    }

    static MemorySegment pointers(Arena arena, MemorySegment... values) {
        MemorySegment array = arena.allocate(ADDRESS, values.length);
        for (int i = 0; i < values.length; i++) {
            array.setAtIndex(ADDRESS, i, values[i]);
        }
        return array;
    }

    /** The number of values of an attribute that were written to {@code into}. */
    static long get(MemorySegment descriptor, int name, int type, long most, MemorySegment into) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(JAVA_LONG);
            Cudnn.check(
                    "cudnnBackendGetAttribute", cudnnBackendGetAttribute(descriptor, name, type, most, count, into));
            return count.get(JAVA_LONG, 0);
        }
    }

    static long getLong(MemorySegment descriptor, int name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(JAVA_LONG);
            get(descriptor, name, CUDNN_TYPE_INT64(), 1, value);
            return value.get(JAVA_LONG, 0);
        }
    }

    @Override
    public void close() {
        owned.forEach(NativeHandle::close);
        owned.clear();
    }
}
