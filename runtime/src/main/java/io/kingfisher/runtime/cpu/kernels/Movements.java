package io.kingfisher.runtime.cpu.kernels;

import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cpu.CpuStep;
import io.kingfisher.runtime.graph.Movement;
import io.kingfisher.runtime.graph.Type;
import io.kingfisher.runtime.layout.View;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.LongStream;

/** Movement ops as copies between views. */
final class Movements {
    /** A copy from an input to a part of the output. */
    private record Copy(int input, View from, View to) {}

    private Movements() {}

    static Kernel kernel(Workers workers, Movement op, List<Type> inputs) {
        Type in = inputs.get(0), out = op.infer(inputs).get(0);
        View source = View.of(in), target = View.of(out);
        return switch (op) {
            case Movement.Reshape _ -> {
                View flat = View.of(new Type(in.dtype(), Shape.of(in.shape().elements())));
                yield copies(workers, out, false, List.of(new Copy(0, flat, flat)));
            }
            case Movement.Transpose(List<Integer> order) ->
                copies(workers, out, false, List.of(new Copy(0, source.transpose(order), target)));
            case Movement.Broadcast(Shape shape) ->
                copies(workers, out, false, List.of(new Copy(0, source.broadcast(shape), target)));
            case Movement.Slice(List<Long> starts, List<Long> sizes) ->
                copies(workers, out, false, List.of(new Copy(0, source.slice(starts, sizes), target)));
            case Movement.Pad(List<Long> before, List<Long> _) ->
                copies(workers, out, true, List.of(new Copy(0, source, target.slice(before, extents(in)))));
            case Movement.Concat(int axis) -> {
                List<Copy> copies = new ArrayList<>();
                long place = 0;
                for (int i = 0; i < inputs.size(); i++) {
                    Type type = inputs.get(i);
                    List<Long> starts =
                            new ArrayList<>(Collections.nCopies(out.shape().rank(), 0L));
                    starts.set(axis, place);
                    copies.add(new Copy(i, View.of(type), target.slice(starts, extents(type))));
                    place += type.shape().dim(axis);
                }
                yield copies(workers, out, false, copies);
            }
        };
    }

    private static List<Long> extents(Type type) {
        return LongStream.of(type.shape().toArray()).boxed().toList();
    }

    private static Kernel copies(Workers workers, Type out, boolean zeros, List<Copy> copies) {
        return addresses -> {
            long to = addresses[copies.size()];
            CpuStep[] steps = copies.stream()
                    .map(copy -> new CopyStep(workers, copy.from(), copy.to(), addresses[copy.input()], to))
                    .toArray(CpuStep[]::new);
            if (steps.length == 1 && !zeros) {
                return steps[0];
            }
            return () -> {
                if (zeros) {
                    Memory.zero(to, out.bytes());
                }
                for (CpuStep step : steps) {
                    step.run();
                }
            };
        };
    }
}
