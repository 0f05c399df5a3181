package io.kingfisher.runtime.cuda.math;

import static io.kingfisher.nativebindings.cudnn.generated.cudnn_h.*;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.kingfisher.nativebindings.NativeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The configurations of engines that cuDNN's heuristics propose for a graph, best first, those of last resort behind. */
final class DnnEngines implements AutoCloseable {
    private static final int MOST_NOTES = 64;

    private final DnnObjects objects = new DnnObjects();
    private final MemorySegment handle;
    private final List<Candidate> candidates = new ArrayList<>();

    /**
     * A configuration.
     *
     * @param label says the same configuration in another process with the same cuDNN and device
     */
    record Candidate(MemorySegment configuration, String label, Set<Integer> notes) {
        boolean follows(Dnn.Rules rules) {
            boolean exact = !notes.contains(CUDNN_NUMERICAL_NOTE_TENSOR_CORE())
                    && !notes.contains(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS())
                    && !notes.contains(CUDNN_NUMERICAL_NOTE_FFT());
            boolean same = !notes.contains(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC());
            return (rules.tensorCores() || exact) && (!rules.deterministic() || same);
        }
    }

    /** A plan with the descriptors that belong to it alone. */
    record Built(DnnObjects objects, MemorySegment plan, long workspaceBytes) implements AutoCloseable {
        @Override
        public void close() {
            objects.close();
        }
    }

    /** Makes the graph and asks for configurations. */
    DnnEngines(MemorySegment handle, DnnGraph graph) {
        this.handle = handle;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment[] operations =
                    graph.operations().stream().map(objects::make).toArray(MemorySegment[]::new);
            MemorySegment whole = objects.create(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR());
            DnnObjects.set(
                    whole,
                    CUDNN_ATTR_OPERATIONGRAPH_OPS(),
                    CUDNN_TYPE_BACKEND_DESCRIPTOR(),
                    operations.length,
                    DnnObjects.pointers(arena, operations));
            DnnObjects.set(
                    whole,
                    CUDNN_ATTR_OPERATIONGRAPH_HANDLE(),
                    CUDNN_TYPE_HANDLE(),
                    1,
                    DnnObjects.pointers(arena, handle));
            DnnObjects.finish(whole);
            ask(whole, CUDNN_HEUR_MODE_A(), "A", arena);
            ask(whole, CUDNN_HEUR_MODE_FALLBACK(), "fallback", arena);
        } catch (RuntimeException e) {
            objects.close();
            throw e;
        }
    }

    private void ask(MemorySegment graph, int mode, String name, Arena arena) {
        MemorySegment heuristics = objects.create(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR());
        DnnObjects.set(
                heuristics,
                CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH(),
                CUDNN_TYPE_BACKEND_DESCRIPTOR(),
                1,
                DnnObjects.pointers(arena, graph));
        DnnObjects.set(
                heuristics,
                CUDNN_ATTR_ENGINEHEUR_MODE(),
                CUDNN_TYPE_HEUR_MODE(),
                1,
                arena.allocateFrom(JAVA_INT, mode));
        if (cudnnBackendFinalize(heuristics) != CUDNN_STATUS_SUCCESS()) {
            // This mode knows no engine for the graph.
            return;
        }
        int type = CUDNN_TYPE_BACKEND_DESCRIPTOR();
        int results = CUDNN_ATTR_ENGINEHEUR_RESULTS();
        int count = Math.toIntExact(DnnObjects.get(heuristics, results, type, 0, MemorySegment.NULL));
        if (count == 0) {
            return;
        }
        MemorySegment array = arena.allocate(ADDRESS, count);
        for (int i = 0; i < count; i++) {
            array.setAtIndex(ADDRESS, i, objects.create(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR()));
        }
        count = Math.toIntExact(DnnObjects.get(heuristics, results, type, count, array));
        for (int i = 0; i < count; i++) {
            candidates.add(candidate(array.getAtIndex(ADDRESS, i), name + ":" + i, arena));
        }
    }

    private Candidate candidate(MemorySegment configuration, String label, Arena arena) {
        MemorySegment engine = objects.create(CUDNN_BACKEND_ENGINE_DESCRIPTOR());
        DnnObjects.get(
                configuration,
                CUDNN_ATTR_ENGINECFG_ENGINE(),
                CUDNN_TYPE_BACKEND_DESCRIPTOR(),
                1,
                DnnObjects.pointers(arena, engine));
        MemorySegment notes = arena.allocate(JAVA_INT, MOST_NOTES);
        long count = DnnObjects.get(
                engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE(), CUDNN_TYPE_NUMERICAL_NOTE(), MOST_NOTES, notes);
        Set<Integer> all = new HashSet<>();
        for (int i = 0; i < Math.min(count, MOST_NOTES); i++) {
            all.add(notes.getAtIndex(JAVA_INT, i));
        }
        long index = DnnObjects.getLong(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX());
        return new Candidate(configuration, label + ":engine " + index, all);
    }

    List<Candidate> candidates() {
        return candidates;
    }

    /** A plan, or nothing where the engine turns out not to do this. */
    Optional<Built> build(Candidate candidate) {
        DnnObjects own = new DnnObjects();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment plan = own.create(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR());
            DnnObjects.set(
                    plan,
                    CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG(),
                    CUDNN_TYPE_BACKEND_DESCRIPTOR(),
                    1,
                    DnnObjects.pointers(arena, candidate.configuration()));
            DnnObjects.set(
                    plan,
                    CUDNN_ATTR_EXECUTION_PLAN_HANDLE(),
                    CUDNN_TYPE_HANDLE(),
                    1,
                    DnnObjects.pointers(arena, handle));
            DnnObjects.finish(plan);
            long workspace = DnnObjects.getLong(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE());
            return Optional.of(new Built(own, plan, workspace));
        } catch (NativeException e) {
            own.close();
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        objects.close();
    }
}
