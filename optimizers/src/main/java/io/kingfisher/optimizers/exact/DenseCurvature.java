package io.kingfisher.optimizers.exact;

/**
 * What is known of a model and a loss at one point, written out. Predictions are counted row by row, C outputs each; a sample
 * has one row or, as a text does, several. All is per sample: the loss is the sum of all rows' losses divided by N.
 *
 * @param outputs C
 * @param rowsPerSample the rows of predictions that one sample has
 * @param count N, the number of terms that the loss is the mean of
 * @param loss the mean loss
 * @param jacobian derivatives of the predictions [rows C x P]
 * @param residual derivatives of each row's loss with respect to its predictions [rows C]
 * @param fisherBlocks the Fisher matrix of each row's predictions [rows x C x C]
 * @param hessianBlocks the Hessian of each row's loss with respect to its predictions [rows x C x C]
 */
public record DenseCurvature(
        int outputs,
        int rowsPerSample,
        double count,
        double loss,
        double[][] jacobian,
        double[] residual,
        double[][][] fisherBlocks,
        double[][][] hessianBlocks) {

    /** P. */
    public int parameters() {
        return jacobian[0].length;
    }

    /** The gradient of the mean loss [P]. */
    public double[] gradient() {
        double[] sum = DenseMatrix.transposedTimes(jacobian, residual, parameters());
        for (int i = 0; i < sum.length; i++) {
            sum[i] /= count;
        }
        return sum;
    }

    /** The gradient of each sample's own loss, without 1 / N, [samples x P]. */
    public double[][] sampleGradients() {
        int each = outputs * rowsPerSample;
        double[][] result = new double[jacobian.length / each][parameters()];
        for (int i = 0; i < jacobian.length; i++) {
            for (int j = 0; j < parameters(); j++) {
                result[i / each][j] += residual[i] * jacobian[i][j];
            }
        }
        return result;
    }

    /** The squared length of each sample's derivatives with respect to its predictions, [samples]. */
    public double[] squaredResiduals() {
        int each = outputs * rowsPerSample;
        double[] result = new double[jacobian.length / each];
        for (int i = 0; i < jacobian.length; i++) {
            result[i / each] += residual[i] * residual[i];
        }
        return result;
    }

    /** The Fisher matrix [P x P], the mean over N of J^T F J. */
    public double[][] fisher() {
        return pulled(fisherBlocks);
    }

    /** The generalised Gauss-Newton matrix [P x P], the mean over N of J^T H J. */
    public double[][] gaussNewton() {
        return pulled(hessianBlocks);
    }

    /** The empirical Fisher matrix [P x P], the mean over N of the products of samples' gradients. */
    public double[][] empiricalFisher() {
        double[][] result = new double[parameters()][parameters()];
        for (double[] g : sampleGradients()) {
            add(result, g, g, 1 / count);
        }
        return result;
    }

    private double[][] pulled(double[][][] blocks) {
        double[][] result = new double[parameters()][parameters()];
        for (int r = 0; r < blocks.length; r++) {
            for (int c = 0; c < outputs; c++) {
                double[] weighted = new double[parameters()];
                for (int k = 0; k < outputs; k++) {
                    for (int j = 0; j < weighted.length; j++) {
                        weighted[j] += blocks[r][c][k] * jacobian[r * outputs + k][j];
                    }
                }
                add(result, jacobian[r * outputs + c], weighted, 1 / count);
            }
        }
        return result;
    }

    private static void add(double[][] to, double[] x, double[] y, double by) {
        for (int i = 0; i < x.length; i++) {
            if (x[i] != 0) {
                for (int j = 0; j < y.length; j++) {
                    to[i][j] += by * x[i] * y[j];
                }
            }
        }
    }

    /** (curvature + damping I)^-1 times the gradient: the step that a matrix of this class stands for. */
    public double[] step(double[][] curvature, double damping) {
        return DenseMatrix.solve(curvature, damping, gradient());
    }

    /**
     * The indicator gamma of a direction d (Wu et al., An improved empirical Fisher approximation for natural gradient descent,
     * NeurIPS 2024, section 6): the root of d^T F d over |d^T grad|, both of the sum of the losses.
     */
    public double gamma(double[] direction) {
        double[] moved = DenseMatrix.times(jacobian, direction);
        double square = 0;
        for (int r = 0; r < fisherBlocks.length; r++) {
            for (int c = 0; c < outputs; c++) {
                for (int k = 0; k < outputs; k++) {
                    square += moved[r * outputs + c] * fisherBlocks[r][c][k] * moved[r * outputs + k];
                }
            }
        }
        return Math.sqrt(square) / Math.abs(DenseMatrix.dot(moved, residual));
    }
}
