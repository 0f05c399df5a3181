package io.kingfisher.optimizers.sample;

import io.kingfisher.layers.Gradients;
import io.kingfisher.layers.Likelihood;
import io.kingfisher.layers.Parameter;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.graph.Autodiff;
import io.kingfisher.runtime.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The indicator gamma(d) = sqrt(d^T F d) / |d^T grad L| of how good a direction d is in the light of the exact Fisher matrix
 * (Wu, Yu, Zhang and Woodland, NeurIPS 2024, section 6), F and L being those of the sum of the batch's losses. It does not
 * depend on the length or the sign of d. Natural gradient has the least value, 1 / sqrt(grad^T F^-1 grad); 1 / (2 gamma^2) is
 * what the quadratic model of the loss falls by along d at most.
 */
public final class Gamma {
    private Gamma() {}

    /**
     * Records gamma of any direction, by one Jacobian-vector product and a product with the outputs' Hessian.
     *
     * @param direction a value of its shape for each parameter that has a gradient
     * @return an F64 scalar; infinite where the direction is orthogonal to the gradient
     */
    public static Value of(Gradients gradients, Function<Parameter, Value> direction) {
        List<Likelihood> likelihoods = gradients.likelihoods();
        List<Value> predictions =
                likelihoods.stream().map(Likelihood::prediction).toList();
        List<Parameter> parameters = gradients.parameters();
        List<Value> moved = Autodiff.jvp(
                predictions,
                parameters.stream().map(gradients.recording()::value).toList(),
                parameters.stream().map(direction).toList());
        List<Value> residuals = EmpiricalFisher.residuals(gradients);
        List<Value> curved = new ArrayList<>(), slopes = new ArrayList<>();
        for (int i = 0; i < moved.size(); i++) {
            Value v = moved.get(i).cast(DType.F64);
            curved.add(v.mul(likelihoods.get(i).hessian(moved.get(i)).cast(DType.F64))
                    .sum());
            slopes.add(v.mul(residuals.get(i).cast(DType.F64)).sum());
        }
        return gradients
                .loss()
                .graph()
                .sum(curved)
                .sqrt()
                .div(gradients.loss().graph().sum(slopes).abs());
    }
}
