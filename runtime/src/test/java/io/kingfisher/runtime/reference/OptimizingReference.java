package io.kingfisher.runtime.reference;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.passes.Passes;
import java.util.List;

/** The reference device running optimized graphs, to compare them with the graphs that they were. */
public final class OptimizingReference extends Device {
    private final ReferenceDevice plain = new ReferenceDevice();

    @Override
    public String name() {
        return "optimizing reference";
    }

    @Override
    public List<String> report() {
        return List.of(name());
    }

    @Override
    protected Program prepare(Graph graph) {
        return new ReferenceProgram(plain, Passes.optimize(graph), false);
    }

    @Override
    public void close() {
        super.close();
        plain.close();
    }
}
