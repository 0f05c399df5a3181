package io.kingfisher.runtime.cuda.math;

import static io.kingfisher.nativebindings.cudnn.generated.cudnn_h.*;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.kingfisher.nativebindings.cudnn.Cudnn;
import io.kingfisher.runtime.cuda.math.DnnEngines.Built;
import io.kingfisher.runtime.cuda.math.DnnGraph.Constant;
import io.kingfisher.runtime.cuda.math.DnnGraph.Scratch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A plan of cuDNN with the addresses that it ran on last. */
final class NativePlan implements Dnn.Plan {
    private final DnnGraph graph;
    private final Built built;
    private final String label;
    private final Handles handles;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment constants;
    private DnnObjects pack = new DnnObjects();
    private MemorySegment bound;
    private long[] lastAddresses = {};
    private long lastWorkspace;
    private DnnEngines engines;

    NativePlan(DnnGraph graph, Built built, String label, Handles handles) {
        this.graph = graph;
        this.built = built;
        this.label = label;
        this.handles = handles;
        List<Constant> values = graph.constants();
        this.constants = arena.allocate(JAVA_FLOAT, Math.max(1, values.size()));
        for (int i = 0; i < values.size(); i++) {
            constants.setAtIndex(JAVA_FLOAT, i, values.get(i).value());
        }
    }

    /** Takes over the graph's descriptors, which must live as long as the plan. */
    void own(DnnEngines graphs) {
        engines = graphs;
    }

    String label() {
        return label;
    }

    @Override
    public long workspaceBytes() {
        return graph.scratchBytes() + built.workspaceBytes();
    }

    @Override
    public void run(long stream, long[] addresses, long workspace) {
        if (bound == null || workspace != lastWorkspace || !Arrays.equals(addresses, lastAddresses)) {
            bind(addresses, workspace);
        }
        Cudnn.check("cudnnBackendExecute", cudnnBackendExecute(handles.of(stream), built.plan(), bound));
    }

    /** Names the memory of every tensor; a finished pack cannot be changed. */
    private void bind(long[] addresses, long workspace) {
        pack.close();
        pack = new DnnObjects();
        try (Arena scratch = Arena.ofConfined()) {
            List<Long> ids = new ArrayList<>(graph.operands()), pointers = new ArrayList<>();
            Arrays.stream(addresses).forEach(pointers::add);
            for (int i = 0; i < graph.constants().size(); i++) {
                ids.add(graph.constants().get(i).id());
                pointers.add(constants.address() + 4L * i);
            }
            long next = workspace;
            for (Scratch tensor : graph.scratch()) {
                ids.add(tensor.id());
                pointers.add(next);
                next += tensor.aligned();
            }
            MemorySegment descriptor = pack.create(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR());
            DnnObjects.set(
                    descriptor,
                    CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS(),
                    CUDNN_TYPE_VOID_PTR(),
                    pointers.size(),
                    scratch.allocateFrom(JAVA_LONG, longs(pointers)));
            DnnObjects.set(
                    descriptor,
                    CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS(),
                    CUDNN_TYPE_INT64(),
                    ids.size(),
                    scratch.allocateFrom(JAVA_LONG, longs(ids)));
            DnnObjects.set(
                    descriptor,
                    CUDNN_ATTR_VARIANT_PACK_WORKSPACE(),
                    CUDNN_TYPE_VOID_PTR(),
                    1,
                    scratch.allocateFrom(JAVA_LONG, next));
            DnnObjects.finish(descriptor);
            bound = descriptor;
        }
        lastAddresses = addresses.clone();
        lastWorkspace = workspace;
    }

    private static long[] longs(List<Long> values) {
        return values.stream().mapToLong(Long::longValue).toArray();
    }

    @Override
    public String what() {
        return "cuDNN " + label + ", " + workspaceBytes() + " bytes of workspace";
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            pack.close();
            built.close();
            if (engines != null) {
                engines.close();
            }
            arena.close();
        }
    }
}
