package io.kingfisher.optimizers.sample;

import io.kingfisher.optimizers.OptimizerState;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.graph.Graph;
import io.kingfisher.runtime.graph.Value;
import java.util.List;

/** Counts on the device the steps that changed nothing, for want of a finite solution. */
final class Unsolved {
    private final String why;
    private Tensor count;
    private long reported;

    /**
     * @param why the end of the sentence that tells a user
     */
    Unsolved(String why) {
        this.why = why;
    }

    /** Records that the step counts where {@code solved} is 0. */
    void take(OptimizerState state, Value solved) {
        Graph graph = solved.graph();
        count = state.tensor("unsolved", DType.F32, Shape.SCALAR, 0);
        graph.assign(count, graph.read(count).add(1).sub(solved));
    }

    /** What there is to tell since the last call. */
    List<String> reports() {
        if (count == null) {
            return List.of();
        }
        long now = (long) count.item(), more = now - reported;
        reported = now;
        return more <= 0 ? List.of() : List.of(more + " steps changed nothing, as " + why);
    }
}
