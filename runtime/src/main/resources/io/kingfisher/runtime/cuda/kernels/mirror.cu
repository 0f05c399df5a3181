// The upper triangles of square matrices from their lower ones.
// Floor: the elements below the diagonal are read once, those above it written once, both in whole cache lines, which is why
// they go through shared memory.

extern "C" __global__ void __launch_bounds__(256) mirror(Bits* matrices, int n) {
    const int TILE = 32;
    // One column more, so that a column's elements are in different banks.
    __shared__ Bits tile[TILE][TILE + 1];
    const int across = (n + TILE - 1) / TILE;
    const int number = blockIdx.x % (across * across), matrix = blockIdx.x / (across * across);
    // Of the tile that is written.
    const int row = number / across * TILE, column = number % across * TILE;
    if (row > column) {
        return;
    }
    Bits* c = matrices + (long long) matrix * n * n;
    const int lane = threadIdx.x % TILE;
    for (int k = threadIdx.x / TILE; k < TILE; k += 256 / TILE) {
        if (column + k < n && row + lane < column + k) {
            tile[k][lane] = c[(long long) (column + k) * n + row + lane];
        }
    }
    __syncthreads();
    for (int k = threadIdx.x / TILE; k < TILE; k += 256 / TILE) {
        if (column + lane < n && row + k < column + lane) {
            c[(long long) (row + k) * n + column + lane] = tile[lane][k];
        }
    }
}
