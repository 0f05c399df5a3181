package io.kingfisher.bench.step;

import static org.bytedeco.pytorch.global.torch.zeros;
import static org.bytedeco.pytorch.global.torch.zeros_like;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.ListType;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.Optimizer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * libtorch's update of all parameters by one operator, which Python's optimizers use with {@code fused=True}. The C++ front
 * end has no optimizer for it, so the operator is called by its name.
 */
final class TorchFused implements TorchUpdate {
    private final List<Tensor> parameters;
    private final Optimizer forgetting;
    private final OperatorHandle operator;
    private final GenericList list;
    private final Consumer<IValueVector> settings;

    private TorchFused(
            String operator, List<Tensor> parameters, Optimizer forgetting, Consumer<IValueVector> settings) {
        this.parameters = parameters;
        this.forgetting = forgetting;
        this.operator = Dispatcher.singleton().findSchemaOrThrow(operator, "");
        this.list = list(parameters);
        this.settings = settings;
    }

    /**
     * SGD with momentum.
     *
     * @param forgetting an optimizer of the same parameters, for its way to forget gradients
     */
    static TorchFused sgd(List<Tensor> parameters, double rate, Optimizer forgetting) {
        GenericList momenta = list(zerosLike(parameters));
        return new TorchFused("aten::_fused_sgd_", parameters, forgetting, new Consumer<>() {
            private boolean first = true;

            @Override
            public void accept(IValueVector stack) {
                stack.push_back(new IValue(momenta));
                // Weight decay, momentum, rate, dampening.
                numbers(stack, 0, StepEngine.MOMENTUM, rate, 0);
                // Nesterov, maximize, whether the momenta are to start.
                flags(stack, false, false, first);
                first = false;
            }
        });
    }

    static TorchFused adamW(List<Tensor> parameters, double rate, Optimizer forgetting) {
        GenericList means = list(zerosLike(parameters)), squares = list(zerosLike(parameters));
        List<Tensor> steps = parameters.stream().map(_ -> zeros(new long[0])).toList();
        GenericList counts = list(steps), none = list(List.of());
        Scalar one = new Scalar(1.0);
        return new TorchFused("aten::_fused_adamw_", parameters, forgetting, stack -> {
            steps.forEach(step -> step.add_(one));
            for (GenericList each : List.of(means, squares, none, counts)) {
                stack.push_back(new IValue(each));
            }
            numbers(stack, rate, 0.9, 0.999, StepEngine.WEIGHT_DECAY, 1e-8);
            // AMSGrad, maximize.
            flags(stack, false, false);
        });
    }

    private static void numbers(IValueVector stack, double... values) {
        for (double value : values) {
            stack.push_back(new IValue(value));
        }
    }

    private static void flags(IValueVector stack, boolean... values) {
        for (boolean value : values) {
            stack.push_back(new IValue(value));
        }
    }

    private static List<Tensor> zerosLike(List<Tensor> tensors) {
        return tensors.stream().map(tensor -> zeros_like(tensor)).toList();
    }

    private static GenericList list(List<Tensor> tensors) {
        GenericList list = new GenericList(ListType.ofTensors().containedType(0));
        tensors.forEach(tensor -> list.push_back(new IValue(tensor)));
        return list;
    }

    @Override
    public void forget() {
        forgetting.zero_grad();
    }

    @Override
    public void step() {
        try (var _ = new NoGradGuard();
                var _ = new PointerScope()) {
            List<Tensor> gradients = new ArrayList<>();
            parameters.forEach(parameter -> gradients.add(parameter.grad()));
            IValueVector stack = new IValueVector();
            stack.push_back(new IValue(list));
            stack.push_back(new IValue(list(gradients)));
            settings.accept(stack);
            // No scale of the gradients, no flag for those that are not finite.
            stack.push_back(new IValue());
            stack.push_back(new IValue());
            operator.callBoxed(stack);
        }
    }

    @Override
    public void close() {
        forgetting.close();
    }
}
