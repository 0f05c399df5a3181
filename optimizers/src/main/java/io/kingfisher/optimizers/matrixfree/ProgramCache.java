package io.kingfisher.optimizers.matrixfree;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Graph;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/** Programs that are recorded and compiled when they are first needed. */
final class ProgramCache implements AutoCloseable {
    private final Device device;
    private final Map<Object, Program> programs = new HashMap<>();

    ProgramCache(Device device) {
        this.device = device;
    }

    /** Replays the program of a key. */
    Program run(Object key, Consumer<Graph> recording) {
        Program program = programs.get(key);
        if (program == null) {
            Graph graph = new Graph();
            recording.accept(graph);
            program = device.compile(graph);
            programs.put(key, program);
        }
        program.replay();
        return program;
    }

    @Override
    public void close() {
        programs.values().forEach(Program::close);
    }
}
