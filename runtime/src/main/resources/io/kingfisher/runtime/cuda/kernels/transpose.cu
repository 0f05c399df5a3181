// Transposes matrices, the last axis of the one being another axis of the other.
// Floor: every element is read once and written once, both in whole cache lines, which is why it goes through shared memory.

extern "C" __global__ void __launch_bounds__(256) transpose(
    const Bits* from, Bits* to,
    // The output is [... x rows x ... x columns], and rows are contiguous in the input.
    int rows, int columns,
    // Two further axes, outer and inner, that blocks count.
    int inner,
    int from_column, int to_row,
    int from_outer, int from_inner, int to_outer, int to_inner,
    int from_start, int to_start) {
    const int TILE = 32;
    // One column more, so that a column's elements are in different banks.
    __shared__ Bits tile[TILE][TILE + 1];
    const int across = (columns + TILE - 1) / TILE, down = (rows + TILE - 1) / TILE;
    const int number = blockIdx.x % (across * down), matrix = blockIdx.x / (across * down);
    const int row = number / across * TILE, column = number % across * TILE;
    const int i = matrix / inner, j = matrix % inner;
    from += from_start + i * from_outer + j * from_inner;
    to += to_start + i * to_outer + j * to_inner;
    const int lane = threadIdx.x % TILE;
    for (int k = threadIdx.x / TILE; k < TILE; k += 256 / TILE) {
        if (row + lane < rows && column + k < columns) {
            tile[k][lane] = from[row + lane + (column + k) * from_column];
        }
    }
    __syncthreads();
    for (int k = threadIdx.x / TILE; k < TILE; k += 256 / TILE) {
        if (row + k < rows && column + lane < columns) {
            to[(row + k) * to_row + column + lane] = tile[lane][k];
        }
    }
}
