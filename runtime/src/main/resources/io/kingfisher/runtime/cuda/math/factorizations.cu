// What is done to matrices before and after cuSOLVER: it takes matrices by columns, reads numbers that are not finite without
// saying so, and leaves rubbish where it fails. Number is float or double; a matrix of the batch is blockIdx.y.

// bad[b] = 1 where a matrix [rows x columns] has a number that is not finite; of a lower one only the lower triangle is read.
extern "C" __global__ void check(const Number* a, int* bad, long long rows, long long columns, long long batch, int lower) {
    long long elements = rows * columns;
    for (long long b = blockIdx.y; b < batch; b += gridDim.y) {
        for (long long e = blockIdx.x * (long long)blockDim.x + threadIdx.x; e < elements;
             e += (long long)gridDim.x * blockDim.x) {
            // An exponent of all ones makes the difference a NaN.
            Number x = a[b * elements + e];
            if (!(lower && e % columns > e / columns) && !(x - x == 0)) {
                bad[b] = 1;
            }
        }
    }
}

// A copy, transposed where asked; the identity in place of a bad matrix, so that every algorithm ends.
extern "C" __global__ void load(
        const Number* a, Number* copy, const int* bad, long long rows, long long columns, long long batch, int transposed) {
    long long elements = rows * columns;
    for (long long b = blockIdx.y; b < batch; b += gridDim.y) {
        for (long long e = blockIdx.x * (long long)blockDim.x + threadIdx.x; e < elements;
             e += (long long)gridDim.x * blockDim.x) {
            long long i = e / columns, j = e % columns;
            copy[b * elements + (transposed ? j * rows + i : e)] = bad[b] ? (Number)(i == j) : a[b * elements + e];
        }
    }
}

// info[b] = 1 where the matrix was bad.
extern "C" __global__ void settle(int* info, const int* bad, long long batch) {
    long long b = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (b < batch && bad[b]) {
        info[b] = 1;
    }
}

// A NaN passes tests of pivots: info[b] = the order of the first pivot that is not positive, if there is one.
extern "C" __global__ void pivots(const Number* factor, int* info, long long n, long long batch) {
    long long b = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (b < batch && info[b] == 0) {
        for (long long i = 0; i < n; i++) {
            if (!(factor[(b * n + i) * n + i] > 0)) {
                info[b] = (int)(i + 1);
                return;
            }
        }
    }
}

// Results [rows x columns] by rows from matrices whose element (i, j) is at i * row + j * column, `stride` from one to the
// next; NaN where there was a failure. triangle: 1 keeps the lower part, 2 the upper one, and makes the rest 0.
extern "C" __global__ void store(
        const Number* from,
        Number* to,
        const int* info,
        long long rows,
        long long columns,
        long long row,
        long long column,
        long long stride,
        long long batch,
        int triangle) {
    long long elements = rows * columns;
    for (long long b = blockIdx.y; b < batch; b += gridDim.y) {
        for (long long e = blockIdx.x * (long long)blockDim.x + threadIdx.x; e < elements;
             e += (long long)gridDim.x * blockDim.x) {
            long long i = e / columns, j = e % columns;
            bool zero = (triangle == 1 && j > i) || (triangle == 2 && j < i);
            // A division by zero of numbers that the compiler cannot know.
            Number failed = (Number)0 / (Number)(info[b] == 0);
            Number x = zero ? (Number)0 : from[b * stride + i * row + j * column];
            to[b * elements + e] = info[b] == 0 ? x : failed;
        }
    }
}

// The addresses of `count` matrices that lie `bytes` apart.
extern "C" __global__ void pointers(long long first, long long bytes, long long* array, long long count) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i < count) {
        array[i] = first + i * bytes;
    }
}
