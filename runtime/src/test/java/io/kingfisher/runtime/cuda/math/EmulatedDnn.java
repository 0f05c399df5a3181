package io.kingfisher.runtime.cuda.math;

import static io.kingfisher.nativebindings.cudnn.generated.cudnn_h.*;
import static io.kingfisher.runtime.cuda.math.EmulatedBlas.require;

import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.cuda.math.Descriptor.Attribute;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * cuDNN's graph interface as NVIDIA documents it, on the processor: operations are done one after another, tensors are read and
 * written where their dimensions and strides say. What the library would refuse is an {@link AssertionError}.
 */
final class EmulatedDnn implements Dnn {
    private static final long WORKSPACE = 2048;

    private final Streams streams;

    EmulatedDnn(Streams streams) {
        this.streams = streams;
    }

    /** The attributes of a descriptor by their numbers. */
    record Read(Descriptor descriptor) {
        private <A extends Attribute> Optional<A> find(int name, Class<A> type) {
            List<Attribute> found = descriptor.attributes().stream()
                    .filter(a -> a.name() == name)
                    .toList();
            require(found.size() <= 1, "attribute " + name + " given twice");
            require(found.isEmpty() || type.isInstance(found.getFirst()), "type of attribute " + name);
            return found.stream().map(type::cast).findFirst();
        }

        private <A extends Attribute> A get(int name, Class<A> type) {
            return find(name, type).orElseThrow(() -> new AssertionError("attribute " + name + " is missing"));
        }

        long[] longs(int name) {
            return get(name, Attribute.Longs.class).values().stream()
                    .mapToLong(Long::longValue)
                    .toArray();
        }

        int choice(int name, int type) {
            Attribute.Choice choice = get(name, Attribute.Choice.class);
            require(choice.type() == type, "type of attribute " + name);
            return choice.value();
        }

        boolean flag(int name) {
            return find(name, Attribute.Flag.class).map(Attribute.Flag::value).orElse(false);
        }

        boolean has(int name) {
            return descriptor.attributes().stream().anyMatch(a -> a.name() == name);
        }

        double number(int name) {
            return get(name, Attribute.class) instanceof Attribute.Single(int _, float value)
                    ? value
                    : get(name, Attribute.Twice.class).value();
        }

        Descriptor one(int name) {
            List<Descriptor> found = get(name, Attribute.References.class).values();
            require(found.size() == 1, "one descriptor for attribute " + name);
            return found.getFirst();
        }

        Tensor tensor(int name) {
            return new Tensor(one(name));
        }
    }

    /** A tensor's descriptor, read. */
    record Tensor(
            Descriptor descriptor, long id, int type, long[] dims, long[] strides, boolean virtual, boolean byValue) {
        Tensor(Descriptor d) {
            Read r = new Read(d);
            require(d.type() == CUDNN_BACKEND_TENSOR_DESCRIPTOR(), "a tensor is wanted");
            this(
                    d,
                    r.longs(CUDNN_ATTR_TENSOR_UNIQUE_ID())[0],
                    r.choice(CUDNN_ATTR_TENSOR_DATA_TYPE(), CUDNN_TYPE_DATA_TYPE()),
                    r.longs(CUDNN_ATTR_TENSOR_DIMENSIONS()),
                    r.longs(CUDNN_ATTR_TENSOR_STRIDES()),
                    r.flag(CUDNN_ATTR_TENSOR_IS_VIRTUAL()),
                    r.flag(CUDNN_ATTR_TENSOR_IS_BY_VALUE()));
            require(dims.length == strides.length, "rank");
        }

        DType dtype() {
            return type == CUDNN_DATA_FLOAT()
                    ? DType.F32
                    : type == CUDNN_DATA_DOUBLE()
                            ? DType.F64
                            : type == CUDNN_DATA_BFLOAT16()
                                    ? DType.BF16
                                    : type == CUDNN_DATA_HALF() ? DType.F16 : DType.I32;
        }

        int elements() {
            return Math.toIntExact(Arrays.stream(dims).reduce(1, Math::multiplyExact));
        }

        /** The elements in row-major order of the dimensions, wherever the strides put them. */
        int[] places() {
            int[] places = new int[elements()];
            for (int i = 0; i < places.length; i++) {
                long rest = i, place = 0;
                for (int axis = dims.length - 1; axis >= 0; axis--) {
                    place += rest % dims[axis] * strides[axis];
                    rest /= dims[axis];
                }
                places[i] = (int) place;
            }
            return places;
        }
    }

    /** A graph while it runs: what tensors hold, in row-major order of their dimensions. */
    static final class State {
        private final Map<Long, Long> addresses = new HashMap<>();
        private final Map<Long, Double> constants = new HashMap<>();
        private final Map<Descriptor, double[]> virtual = new IdentityHashMap<>();

        double[] read(Tensor t) {
            if (t.byValue()) {
                Double value = constants.get(t.id());
                require(value != null && t.elements() == 1, "a value for tensor " + t.id());
                return new double[] {value};
            }
            if (t.virtual()) {
                double[] values = virtual.get(t.descriptor());
                require(values != null, "a virtual tensor is made before it is read: " + t.id());
                return values;
            }
            require(addresses.containsKey(t.id()), "an address for tensor " + t.id());
            int[] places = t.places();
            double[] memory = HostNumbers.read(
                    t.dtype(),
                    addresses.get(t.id()),
                    Arrays.stream(places).max().orElse(0) + 1L);
            return Arrays.stream(places).mapToDouble(place -> memory[place]).toArray();
        }

        void write(Tensor t, double[] values) {
            require(values.length == t.elements() && !t.byValue(), "elements of tensor " + t.id());
            if (t.virtual()) {
                require(virtual.put(t.descriptor(), rounded(t, values)) == null, "a tensor is made once");
                return;
            }
            require(addresses.containsKey(t.id()), "an address for tensor " + t.id());
            int[] places = t.places();
            for (int i = 0; i < places.length; i++) {
                HostNumbers.write(
                        t.dtype(),
                        addresses.get(t.id()) + (long) places[i] * t.dtype().bytes(),
                        values[i]);
            }
        }

        private static double[] rounded(Tensor t, double[] values) {
            return switch (t.dtype()) {
                case BF16 ->
                    Arrays.stream(values)
                            .map(x -> Float.intBitsToFloat(io.kingfisher.runtime.Tensor.toBf16((float) x) << 16))
                            .toArray();
                case F16 ->
                    Arrays.stream(values)
                            .map(x -> Float.float16ToFloat(Float.floatToFloat16((float) x)))
                            .toArray();
                default -> values;
            };
        }
    }

    @Override
    public Optional<Plan> plan(DnnGraph graph, Rules rules) {
        return Optional.of(new Plan() {
            @Override
            public long workspaceBytes() {
                return WORKSPACE + graph.scratchBytes();
            }

            @Override
            public void run(long stream, long[] addresses, long workspace) {
                long[] kept = addresses.clone();
                streams.enqueue(stream, () -> carryOut(kept, workspace));
            }

            private void carryOut(long[] addresses, long workspace) {
                NativeMemory.segment(workspace, workspaceBytes()).fill((byte) 0xff);
                require(addresses.length == graph.operands().size(), "addresses");
                State state = new State();
                for (int i = 0; i < addresses.length; i++) {
                    state.addresses.put(graph.operands().get(i), addresses[i]);
                    require(addresses[i] % 16 == 0, "alignment");
                }
                long next = workspace;
                for (DnnGraph.Scratch tensor : graph.scratch()) {
                    state.addresses.put(tensor.id(), next);
                    next += tensor.aligned();
                }
                graph.constants().forEach(c -> state.constants.put(c.id(), (double) c.value()));
                for (Descriptor operation : graph.operations()) {
                    EmulatedOperations.run(operation, state);
                }
            }

            @Override
            public String what() {
                return "emulated cuDNN " + rules;
            }

            @Override
            public void close() {}
        });
    }

    @Override
    public void prepare(long stream) {}

    @Override
    public List<String> report() {
        return List.of("emulated cuDNN");
    }

    @Override
    public void close() {}
}
