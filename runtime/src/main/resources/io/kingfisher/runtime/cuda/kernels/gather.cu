// Rows of a table by index, and its gradient: the sum of the updates of each row, in the order of the indices.
// Floor: gathering reads and writes every element of the result once; scattering reads every update and writes every element
// of the table once. The order is found with integer atomics, whose results do not depend on their order.

// A row for each index; NaN where the index is not in the table.
extern "C" __global__ void __launch_bounds__(256) gather(
    const Element* table, const int* indices, Element* to, long long rows, Index width, Index count) {
    const Index place = (Index) blockIdx.x * blockDim.x + threadIdx.x;
    if (place >= count) {
        return;
    }
    const long long row = indices[place / width];
    to[place] = row >= 0 && row < rows ? table[row * (long long) width + place % width] : element(Real(NOT_A_NUMBER));
}

// How often each row occurs.
extern "C" __global__ void __launch_bounds__(256) count_rows(const int* indices, int* counts, long long rows, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n && indices[i] >= 0 && indices[i] < rows) {
        atomicAdd(counts + indices[i], 1);
    }
}

// Where each row's positions begin: the sum of the counts before it. One block of 1024 threads.
extern "C" __global__ void __launch_bounds__(1024) first_positions(const int* counts, int* starts, int rows) {
    const int EACH = 8;
    __shared__ int warps[32];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int before = 0;
    for (int from = 0; from < rows; from += 1024 * EACH) {
        const int first = from + threadIdx.x * EACH;
        int own[EACH], sum = 0;
#pragma unroll
        for (int i = 0; i < EACH; i++) {
            own[i] = first + i < rows ? counts[first + i] : 0;
            sum += own[i];
        }
        const int all_own = sum;
        for (int lanes = 1; lanes < 32; lanes *= 2) {
            const int other = __shfl_up_sync(0xffffffffu, sum, lanes);
            sum += lane >= lanes ? other : 0;
        }
        if (lane == 31) {
            warps[warp] = sum;
        }
        __syncthreads();
        int all = 0;
        for (int w = 0; w < 32; w++) {
            sum += w < warp ? warps[w] : 0;
            all += warps[w];
        }
        int start = before + sum - all_own;
#pragma unroll
        for (int i = 0; i < EACH; i++) {
            if (first + i < rows) {
                starts[first + i] = start;
            }
            start += own[i];
        }
        before += all;
        __syncthreads();
    }
}

// The positions of each row's indices, in any order.
extern "C" __global__ void __launch_bounds__(256) list_positions(
    const int* indices, const int* starts, int* cursors, int* positions, long long rows, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n && indices[i] >= 0 && indices[i] < rows) {
        positions[starts[indices[i]] + atomicAdd(cursors + indices[i], 1)] = i;
    }
}

// A block for each row: sorts its positions by counting the smaller ones, then adds up its updates.
extern "C" __global__ void __launch_bounds__(256) add_rows(
    const Element* updates, const int* counts, const int* starts, const int* positions, int* sorted, Element* table,
    long long width) {
    const long long row = blockIdx.x;
    const int n = counts[row];
    const int* own = positions + starts[row];
    int* order = sorted + starts[row];
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        int smaller = 0;
        for (int j = 0; j < n; j++) {
            smaller += own[j] < own[i] ? 1 : 0;
        }
        order[smaller] = own[i];
    }
    __syncthreads();
    for (long long column = threadIdx.x; column < width; column += blockDim.x) {
        Real sum = 0;
        for (int i = 0; i < n; i++) {
            sum += real(updates[order[i] * width + column]);
        }
        table[row * width + column] = element(sum);
    }
}
