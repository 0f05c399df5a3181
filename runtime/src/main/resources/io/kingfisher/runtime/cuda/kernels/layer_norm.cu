// Layer normalisation over rows (Ba et al., 2016), and its gradients.
// Floor: forward reads x and writes y once, backward reads x and dy and writes dx once. A row is read again from a cache.

extern "C" __global__ void __launch_bounds__(256) layer_norm(
    const Element* x, const Element* scale, const Element* shift, Element* y, Element* means, Element* deviations,
    long long rows, int width, double epsilon) {
    const long long row = own_row();
    if (row >= rows) {
        return;
    }
    x += row * width;
    y += row * width;
    Real sum = 0;
    for (int j = own_lane(); j < width; j += THREADS) {
        sum += real(x[j]);
    }
    const Real mean = row_sum(sum) / Real(width);
    Real squares = 0;
    for (int j = own_lane(); j < width; j += THREADS) {
        const Real centred = real(x[j]) - mean;
        squares += centred * centred;
    }
    const Real rstd = Real(1) / sqrt(row_sum(squares) / Real(width) + Real(epsilon));
    for (int j = own_lane(); j < width; j += THREADS) {
        y[j] = element((real(x[j]) - mean) * rstd * real(scale[j]) + real(shift[j]));
    }
    if (own_lane() == 0) {
        means[row] = element(mean);
        deviations[row] = element(rstd);
    }
}

// Rows from blockIdx.x on, every gridDim.x-th: dx, and this block's part of dscale and dshift, which each thread keeps for
// its up to PER columns. The parts of all blocks are added up afterwards.
extern "C" __global__ void __launch_bounds__(256) layer_norm_gradient(
    const Element* x, const Element* scale, const Element* means, const Element* deviations, const Element* dy, Element* dx,
    Real* dscales, Real* dshifts, long long rows, int width) {
    const int groups = blockDim.x / THREADS;
    Real dscale[PER], dshift[PER];
#pragma unroll
    for (int k = 0; k < PER; k++) {
        dscale[k] = dshift[k] = 0;
    }
    for (long long row = own_row(); row < rows; row += (long long) gridDim.x * groups) {
        const Element* own_x = x + row * width;
        const Element* own_dy = dy + row * width;
        const Real mean = real(means[row]), rstd = real(deviations[row]);
        Real sum = 0, along = 0;
#pragma unroll
        for (int k = 0; k < PER; k++) {
            const int j = own_lane() + k * THREADS;
            if (j < width) {
                const Real d = real(own_dy[j]), normal = (real(own_x[j]) - mean) * rstd, scaled = d * real(scale[j]);
                dscale[k] += d * normal;
                dshift[k] += d;
                sum += scaled;
                along += scaled * normal;
            }
        }
        sum = row_sum(sum) / Real(width);
        along = row_sum(along) / Real(width);
        for (int j = own_lane(); j < width; j += THREADS) {
            const Real normal = (real(own_x[j]) - mean) * rstd;
            dx[row * width + j] = element(rstd * (real(own_dy[j]) * real(scale[j]) - sum - normal * along));
        }
    }
    const long long part = (blockIdx.x * groups + threadIdx.x / THREADS) * (long long) width;
#pragma unroll
    for (int k = 0; k < PER; k++) {
        const int j = own_lane() + k * THREADS;
        if (j < width) {
            dscales[part + j] = dscale[k];
            dshifts[part + j] = dshift[k];
        }
    }
}
