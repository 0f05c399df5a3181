// Pooling of images [N x C x H x W], however they lie in memory, and its gradients. A thread computes an element of the
// result; gradients look for the windows that an element is in, so that nothing is added to by several threads.
// Floor: every element of the operands is read once from memory and every element of the result written once.

// The thread's place in an image of that shape, channels innermost where CHANNELS_LAST says so.
struct Place {
    Index n;
    int c, h, w;
};

__device__ __forceinline__ Place own_place(Index number, int channels, int height, int width) {
    Place p;
    if (CHANNELS_LAST) {
        p.c = (int) (number % channels);
        number /= channels;
    }
    p.w = (int) (number % width);
    number /= width;
    p.h = (int) (number % height);
    number /= height;
    if (!CHANNELS_LAST) {
        p.c = (int) (number % channels);
        number /= channels;
    }
    p.n = number;
    return p;
}

// Where an element is, by an operand's first offset and its strides.
__device__ __forceinline__ long long at(const long long* strides, Index n, int c, int h, int w) {
    return strides[0] + n * strides[1] + c * strides[2] + h * strides[3] + w * strides[4];
}

// The maximum of each window, NaN where any cell is, and the number of the first cell that has it.
extern "C" __global__ void __launch_bounds__(256) max_pool(
    const Element* x, Element* y, unsigned char* cells, const long long* table, long long count) {
    const Index number = (Index) blockIdx.x * blockDim.x + threadIdx.x;
    if (number >= count) {
        return;
    }
    // Channels, the image's height and width, the result's; then the offset and the strides of each operand.
    const int channels = (int) table[0], height = (int) table[1], width = (int) table[2];
    const Place p = own_place(number, channels, (int) table[3], (int) table[4]);
    const int top = p.h * STRIDE_H - PADDING_H, left = p.w * STRIDE_W - PADDING_W;
    int best = -1;
    Real most = 0;
    for (int i = max(0, -top); i < min(KERNEL_H, height - top); i++) {
        for (int j = max(0, -left); j < min(KERNEL_W, width - left); j++) {
            const Real v = real(x[at(table + 5, p.n, p.c, top + i, left + j)]);
            if (best < 0 || v > most || (v != v && most == most)) {
                best = i * KERNEL_W + j;
                most = v;
            }
        }
    }
    y[at(table + 10, p.n, p.c, p.h, p.w)] = element(most);
    cells[at(table + 15, p.n, p.c, p.h, p.w)] = (unsigned char) best;
}

// The windows that a row or a column of the image is in: from first on, before end.
__device__ __forceinline__ int first_window(int place, int kernel, int stride, int padding) {
    return max(0, (place + padding - kernel + stride) / stride);
}

__device__ __forceinline__ int end_window(int place, int stride, int padding, int windows) {
    return min(windows, (place + padding) / stride + 1);
}

extern "C" __global__ void __launch_bounds__(256) max_pool_gradient(
    const Element* dy, const unsigned char* cells, Element* dx, const long long* table, long long count) {
    const Index number = (Index) blockIdx.x * blockDim.x + threadIdx.x;
    if (number >= count) {
        return;
    }
    const Place p = own_place(number, (int) table[0], (int) table[1], (int) table[2]);
    Real sum = 0;
    const int end_h = end_window(p.h, STRIDE_H, PADDING_H, (int) table[3]);
    const int end_w = end_window(p.w, STRIDE_W, PADDING_W, (int) table[4]);
    for (int h = first_window(p.h, KERNEL_H, STRIDE_H, PADDING_H); h < end_h; h++) {
        for (int w = first_window(p.w, KERNEL_W, STRIDE_W, PADDING_W); w < end_w; w++) {
            const int cell = (p.h + PADDING_H - h * STRIDE_H) * KERNEL_W + p.w + PADDING_W - w * STRIDE_W;
            if (cells[at(table + 10, p.n, p.c, h, w)] == cell) {
                sum += real(dy[at(table + 5, p.n, p.c, h, w)]);
            }
        }
    }
    dx[at(table + 15, p.n, p.c, p.h, p.w)] = element(sum);
}

// The elements of an image where another one had its maxima.
extern "C" __global__ void __launch_bounds__(256) max_pool_gather(
    const Element* x, const unsigned char* cells, Element* y, const long long* table, long long count) {
    const Index number = (Index) blockIdx.x * blockDim.x + threadIdx.x;
    if (number >= count) {
        return;
    }
    const Place p = own_place(number, (int) table[0], (int) table[3], (int) table[4]);
    const int cell = cells[at(table + 10, p.n, p.c, p.h, p.w)];
    const int h = p.h * STRIDE_H - PADDING_H + cell / KERNEL_W, w = p.w * STRIDE_W - PADDING_W + cell % KERNEL_W;
    y[at(table + 15, p.n, p.c, p.h, p.w)] = x[at(table + 5, p.n, p.c, h, w)];
}

extern "C" __global__ void __launch_bounds__(256) average_pool(
    const Element* x, Element* y, const long long* table, long long count) {
    const Index number = (Index) blockIdx.x * blockDim.x + threadIdx.x;
    if (number >= count) {
        return;
    }
    const int height = (int) table[1], width = (int) table[2];
    const Place p = own_place(number, (int) table[0], (int) table[3], (int) table[4]);
    const int top = p.h * STRIDE_H - PADDING_H, left = p.w * STRIDE_W - PADDING_W;
    Real sum = 0;
    for (int i = max(0, -top); i < min(KERNEL_H, height - top); i++) {
        for (int j = max(0, -left); j < min(KERNEL_W, width - left); j++) {
            sum += real(x[at(table + 5, p.n, p.c, top + i, left + j)]);
        }
    }
    y[at(table + 10, p.n, p.c, p.h, p.w)] = element(sum / Real(KERNEL_H * KERNEL_W));
}

extern "C" __global__ void __launch_bounds__(256) average_pool_gradient(
    const Element* dy, Element* dx, const long long* table, long long count) {
    const Index number = (Index) blockIdx.x * blockDim.x + threadIdx.x;
    if (number >= count) {
        return;
    }
    const Place p = own_place(number, (int) table[0], (int) table[1], (int) table[2]);
    Real sum = 0;
    const int end_h = end_window(p.h, STRIDE_H, PADDING_H, (int) table[3]);
    const int end_w = end_window(p.w, STRIDE_W, PADDING_W, (int) table[4]);
    for (int h = first_window(p.h, KERNEL_H, STRIDE_H, PADDING_H); h < end_h; h++) {
        for (int w = first_window(p.w, KERNEL_W, STRIDE_W, PADDING_W); w < end_w; w++) {
            sum += real(dy[at(table + 5, p.n, p.c, h, w)]);
        }
    }
    dx[at(table + 10, p.n, p.c, p.h, p.w)] = element(sum / Real(KERNEL_H * KERNEL_W));
}
