package io.kingfisher.runtime.reference;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Program;
import io.kingfisher.runtime.graph.Graph;
import java.util.List;

/** Plain Java in double precision: slow, obvious, and what the other devices are checked against. */
public final class ReferenceDevice extends Device {
    @Override
    public String name() {
        return "reference";
    }

    @Override
    public List<String> report() {
        return List.of("reference: plain Java, one thread, every intermediate result in double precision");
    }

    @Override
    protected Program prepare(Graph graph) {
        throw new KingfisherException("not yet");
    }
}
