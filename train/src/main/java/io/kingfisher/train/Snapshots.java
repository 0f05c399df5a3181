package io.kingfisher.train;

import io.kingfisher.layers.Variable;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.train.checkpoint.Checkpoint;
import io.kingfisher.train.checkpoint.SafeTensor;
import io.kingfisher.train.checkpoint.Safetensors;
import io.kingfisher.train.checkpoint.TrainingState;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Moves a model's and an optimizer's tensors to and from checkpoints, by name. */
final class Snapshots {
    private static final String OPTIMIZER = "optimizer.", LOSS_SCALE = "loss_scale.";

    private Snapshots() {}

    /** A checkpoint over the live tensors, or over copies in the arena: to be saved before the next step. */
    static Checkpoint take(Experiment experiment, TrainingState state, Arena arena) {
        List<SafeTensor> tensors = new ArrayList<>();
        tensors(experiment).forEach((name, tensor) -> tensors.add(safe(name, tensor, arena)));
        return new Checkpoint(state, tensors);
    }

    /** A checkpoint over copies in the arena, which steps do not change. */
    static Checkpoint copy(Experiment experiment, TrainingState state, Arena arena) {
        Checkpoint live = take(experiment, state, arena);
        return new Checkpoint(
                state,
                live.tensors().stream()
                        .map(tensor -> new SafeTensor(
                                tensor.name(),
                                tensor.dtype(),
                                tensor.shape(),
                                arena.allocate(Math.max(1, tensor.data().byteSize()), 64)
                                        .asSlice(0, tensor.data().byteSize())
                                        .copyFrom(tensor.data())))
                        .toList());
    }

    private static Map<String, Tensor> tensors(Experiment experiment) {
        Map<String, Tensor> all = new LinkedHashMap<>();
        for (Variable variable : experiment.model().variables()) {
            all.put(variable.path(), variable.tensor());
        }
        experiment.optimizer().state().tensors().forEach((name, tensor) -> all.put(OPTIMIZER + name, tensor));
        experiment
                .lossScale()
                .ifPresent(scale -> scale.tensors().forEach((name, tensor) -> all.put(LOSS_SCALE + name, tensor)));
        return all;
    }

    private static SafeTensor safe(String name, Tensor tensor, Arena arena) {
        return new SafeTensor(name, tensor.dtype().name(), tensor.shape().toArray(), tensor.bytes(arena));
    }

    /** Writes a checkpoint's tensors back, every one of them. */
    static void restore(Experiment experiment, Checkpoint checkpoint, Path from) {
        Map<String, Tensor> wanted = tensors(experiment);
        Map<String, SafeTensor> found = new LinkedHashMap<>();
        checkpoint.tensors().forEach(tensor -> found.put(tensor.name(), tensor));
        for (String name : found.keySet()) {
            if (!wanted.containsKey(name)) {
                throw new KingfisherException(from + ": the tensor '" + name
                        + "' is not part of this run; resume with the network and the optimizer it was saved with.");
            }
        }
        wanted.forEach((name, tensor) -> write(from, name, found.get(name), tensor));
    }

    /** Starts a model from the weights of a safetensors file, whatever else is in it. */
    static void initialize(Experiment experiment, Path from) {
        try (Arena arena = Arena.ofConfined()) {
            Safetensors file = Safetensors.read(from, arena);
            for (Variable variable : experiment.model().variables()) {
                write(from, variable.path(), file.find(variable.path()).orElse(null), variable.tensor());
            }
        }
    }

    private static void write(Path from, String name, SafeTensor source, Tensor target) {
        if (source == null) {
            throw new KingfisherException(from + ": the tensor '" + name + "' " + target.dtype() + target.shape()
                    + " is missing; is it from another network or optimizer?");
        }
        boolean same = source.dtype().equals(target.dtype().name())
                && java.util.Arrays.equals(source.shapeArray(), target.shape().toArray());
        // PyTorch counts batch norm's batches in I64.
        boolean counter = source.dtype().equals("I64") && target.dtype() == DType.I32 && target.elements() == 1;
        if (!same && !counter) {
            throw new KingfisherException(from + ": the tensor '" + name + "' is " + source.dtype() + source.shape()
                    + ", but this network has " + target.dtype() + target.shape() + ".");
        }
        if (counter) {
            target.set(0, source.data().get(java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED, 0));
        } else {
            target.write(source.data());
        }
    }
}
