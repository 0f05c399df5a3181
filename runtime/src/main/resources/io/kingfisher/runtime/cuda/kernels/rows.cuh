// Rows that are shared by THREADS threads: the lanes of a warp, or the 256 threads of a block.

__device__ __forceinline__ Real row_sum(Real x) {
    for (int lanes = 16; lanes > 0; lanes /= 2) {
        x += __shfl_xor_sync(0xffffffffu, x, lanes);
    }
    if (THREADS > 32) {
        __shared__ Real sums[THREADS / 32];
        // What the call before left here has been read by all.
        __syncthreads();
        if (threadIdx.x % 32 == 0) {
            sums[threadIdx.x / 32] = x;
        }
        __syncthreads();
        x = 0;
        for (int warp = 0; warp < THREADS / 32; warp++) {
            x += sums[warp];
        }
    }
    return x;
}

// The largest, NaN left out.
__device__ __forceinline__ Real row_max(Real x) {
    for (int lanes = 16; lanes > 0; lanes /= 2) {
        x = fmax(x, __shfl_xor_sync(0xffffffffu, x, lanes));
    }
    if (THREADS > 32) {
        __shared__ Real largest[THREADS / 32];
        __syncthreads();
        if (threadIdx.x % 32 == 0) {
            largest[threadIdx.x / 32] = x;
        }
        __syncthreads();
        x = largest[0];
        for (int warp = 1; warp < THREADS / 32; warp++) {
            x = fmax(x, largest[warp]);
        }
    }
    return x;
}

// The row of a thread, and the thread's number in it.
__device__ __forceinline__ long long own_row() {
    return (long long) blockIdx.x * (blockDim.x / THREADS) + threadIdx.x / THREADS;
}

__device__ __forceinline__ int own_lane() { return threadIdx.x % THREADS; }
