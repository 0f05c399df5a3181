// The mean and the variance of each channel of x [N x C x S], in one reading. What is done with them is elementwise, and
// generated: normalising, with what follows it, and the gradients.
// Floor: x is read once here and once to be normalised.

// The mean of count numbers and the sum of their squared distances from it.
struct Moments {
    Real count, mean, squares;
};

// The moments of two sets together (Chan, Golub and LeVeque, 1979).
__device__ __forceinline__ Moments together(Moments a, Moments b) {
    const Real count = a.count + b.count;
    if (b.count == Real(0)) {
        return a;
    }
    const Real share = b.count / count, between = b.mean - a.mean;
    return {count, a.mean + between * share, a.squares + b.squares + between * between * a.count * share};
}

// Blocks of ALONG x ACROSS threads: ACROSS channels, and ALONG threads for the places of each. blockIdx.y counts parts.
extern "C" __global__ void __launch_bounds__(256) channel_moments(
    const Element* x, Real* counts, Real* means, Real* squares, int channels, Index places, Index span, Index inner,
    long long outer_stride, long long inner_stride, long long channel_stride, long long start) {
    const int UNROLL = 8;
    const int first = ROWS ? threadIdx.x % ALONG : threadIdx.x / ACROSS;
    const int column = ROWS ? threadIdx.x / ALONG : threadIdx.x % ACROSS;
    const int channel = blockIdx.x * ACROSS + column;
    const Index begin = blockIdx.y * span, end = places - begin < span ? places : begin + span;
    Moments own = {0, 0, 0};
    if (channel < channels) {
        x += start + channel * channel_stride;
        for (Index at = begin + first; at < end; at += ALONG * UNROLL) {
            Real numbers[UNROLL], sum = 0, squared = 0;
            int count = 0;
#pragma unroll
            for (int j = 0; j < UNROLL; j++) {
                const Index place = at + j * ALONG;
                if (place < end) {
                    const Index outer = place / inner;
                    numbers[j] = real(x[outer * outer_stride + (place - outer * inner) * inner_stride]);
                    sum += numbers[j];
                    count++;
                }
            }
            const Real mean = sum / Real(count);
#pragma unroll
            for (int j = 0; j < UNROLL; j++) {
                squared += j < count ? (numbers[j] - mean) * (numbers[j] - mean) : Real(0);
            }
            own = together(own, {Real(count), mean, squared});
        }
    }
    __shared__ Real all_counts[ALONG][ACROSS];
    __shared__ Real all_means[ALONG][ACROSS];
    __shared__ Real all_squares[ALONG][ACROSS];
    all_counts[first][column] = own.count;
    all_means[first][column] = own.mean;
    all_squares[first][column] = own.squares;
    for (int half = ALONG / 2; half > 0; half /= 2) {
        __syncthreads();
        if (first < half) {
            const int other = first + half;
            own = together(own, {all_counts[other][column], all_means[other][column], all_squares[other][column]});
            all_counts[first][column] = own.count;
            all_means[first][column] = own.mean;
            all_squares[first][column] = own.squares;
        }
    }
    if (first == 0 && channel < channels) {
        counts[blockIdx.y * channels + channel] = own.count;
        means[blockIdx.y * channels + channel] = own.mean;
        squares[blockIdx.y * channels + channel] = own.squares;
    }
}

// The parts of each channel together: its mean and biased variance, and what x - mean is multiplied by.
extern "C" __global__ void __launch_bounds__(256) channel_statistics(
    const Real* counts, const Real* means, const Real* squares, const Element* scale, Element* mean, Element* variance,
    Real* exact_mean, Real* factor, int channels, int parts, double epsilon) {
    const int channel = blockIdx.x * blockDim.x + threadIdx.x;
    if (channel >= channels) {
        return;
    }
    Moments all = {0, 0, 0};
    for (int part = 0; part < parts; part++) {
        const int at = part * channels + channel;
        all = together(all, {counts[at], means[at], squares[at]});
    }
    const Real spread = all.squares / all.count;
    mean[channel] = element(all.mean);
    variance[channel] = element(spread);
    exact_mean[channel] = all.mean;
    factor[channel] = real(scale[channel]) / sqrt(spread + Real(epsilon));
}
