package io.kingfisher.runtime.conformance;

import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * What every device must do: each op on odd, non-square, empty and broadcast shapes, its first and second derivatives,
 * special values, random streams, factorizations, and programs that change state. A device passes when it agrees with
 * {@link io.kingfisher.runtime.reference.ReferenceDevice} on all of it.
 */
public final class Conformance {
    private Conformance() {}

    /** All cases, always the same and in the same order. */
    public static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (DType dtype : List.of(DType.F32, DType.F64)) {
            specs(dtype).forEach(spec -> cases.addAll(spec.cases()));
        }
        cases.addAll(RandomCases.cases());
        cases.addAll(ProgramCases.cases());
        cases.addAll(NetworkCases.cases());
        return cases;
    }

    /** The functions that are also differentiated. */
    static List<Spec> specs(DType dtype) {
        List<Spec> specs = new ArrayList<>();
        specs.addAll(ElementwiseSpecs.specs(dtype));
        specs.addAll(ReductionSpecs.specs(dtype));
        specs.addAll(MovementSpecs.specs(dtype));
        specs.addAll(MatMulSpecs.specs(dtype));
        specs.addAll(ConvolutionSpecs.specs(dtype));
        specs.addAll(PoolSpecs.specs(dtype));
        specs.addAll(NormSpecs.specs(dtype));
        specs.addAll(AttentionSpecs.specs(dtype));
        specs.addAll(LossSpecs.specs(dtype));
        specs.addAll(TableSpecs.specs(dtype));
        specs.addAll(FactorizationSpecs.specs(dtype));
        return specs;
    }

    /** Runs all cases on a device and hands over each result as soon as it is known; true where all passed. */
    public static boolean run(Device device, Consumer<Result> results) {
        boolean passed = true;
        for (Case one : cases()) {
            Result result = one.run(device);
            passed &= result.passed();
            results.accept(result);
        }
        return passed;
    }
}
