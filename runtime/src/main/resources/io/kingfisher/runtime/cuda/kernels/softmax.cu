// Softmax over rows, and its gradient.
// Floor: forward reads x and writes y once, backward reads y and dy and writes dx once. A row is read twice, the second
// time from a cache.

// The largest number of a row and the sum of exp(x - largest), the row being read once (Milakov and Gimelshein, 2018).
struct Exponentials {
    Real largest, sum;
};

__device__ __forceinline__ Exponentials exponentials(const Element* x, int width) {
    const Real infinity = INFINITE;
    Real largest = -infinity, sum = 0;
    for (int j = own_lane(); j < width; j += THREADS) {
        const Real v = real(x[j]);
        if (v > largest) {
            sum = sum * exp(largest - v) + Real(1);
            largest = v;
        } else if (v != -infinity) {
            sum += exp(v - largest);
        }
    }
    const Real all = row_max(largest);
    const Real total = row_sum(sum == Real(0) ? Real(0) : sum * exp(largest - all));
    // An infinite number makes the whole row NaN.
    return {all, width == 0 ? total : total + (all - all)};
}

extern "C" __global__ void __launch_bounds__(256) softmax(const Element* x, Element* y, long long rows, int width) {
    const long long row = own_row();
    if (row >= rows) {
        return;
    }
    x += row * width;
    y += row * width;
    const Exponentials e = exponentials(x, width);
    for (int j = own_lane(); j < width; j += THREADS) {
        // Divided one by one: a rounded reciprocal would move all of a row the same way, and its sum away from 1.
        y[j] = element(exp(real(x[j]) - e.largest) / e.sum);
    }
}

extern "C" __global__ void __launch_bounds__(256) softmax_gradient(
    const Element* y, const Element* dy, Element* dx, long long rows, int width) {
    const long long row = own_row();
    if (row >= rows) {
        return;
    }
    y += row * width;
    dy += row * width;
    dx += row * width;
    Real sum = 0;
    for (int j = own_lane(); j < width; j += THREADS) {
        sum += real(y[j]) * real(dy[j]);
    }
    sum = row_sum(sum);
    for (int j = own_lane(); j < width; j += THREADS) {
        dx[j] = element(real(y[j]) * (real(dy[j]) - sum));
    }
}

// The cross-entropy of logits [rows x width] with a label for each row: 0 where it is the ignored one, NaN where it is none.
extern "C" __global__ void __launch_bounds__(256) cross_entropy(
    const Element* x, const int* labels, Element* loss, Element* lse, long long rows, int width, double smoothing,
    int ignored) {
    const long long row = own_row();
    if (row >= rows) {
        return;
    }
    x += row * width;
    const Exponentials e = exponentials(x, width);
    Real sum = 0;
    if (smoothing != 0) {
        for (int j = own_lane(); j < width; j += THREADS) {
            sum += real(x[j]);
        }
        sum = row_sum(sum);
    }
    if (own_lane() == 0) {
        const Real all = e.largest + log(e.sum);
        const int label = labels[row];
        const bool valid = label >= 0 && label < width;
        const Real share = Real(smoothing);
        Real result = 0;
        if (label != ignored) {
            result = valid ? all - (Real(1) - share) * real(x[label]) : Real(NOT_A_NUMBER);
            if (smoothing != 0) {
                result -= share * (sum / Real(width));
            }
        }
        loss[row] = element(result);
        lse[row] = element(all);
    }
}

// An element for each thread.
extern "C" __global__ void __launch_bounds__(256) cross_entropy_gradient(
    const Element* x, const int* labels, const Element* lse, const Element* dloss, Element* dx, long long rows, int width,
    double smoothing, int ignored) {
    const Index place = (Index) blockIdx.x * blockDim.x + threadIdx.x;
    if (place >= (Index) rows * width) {
        return;
    }
    const Index row = place / width;
    const int column = (int) (place - row * width), label = labels[row];
    Real result = 0;
    if (label != ignored) {
        const Real share = Real(smoothing);
        const Real target = (column == label ? Real(1) - share : Real(0)) + share / Real(width);
        const bool valid = label >= 0 && label < width;
        result = valid ? (exp(real(x[place]) - real(lse[row])) - target) * real(dloss[row]) : Real(NOT_A_NUMBER);
    }
    dx[place] = element(result);
}
