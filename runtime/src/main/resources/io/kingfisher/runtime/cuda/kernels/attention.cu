// Scaled dot-product attention, softmax(Q K^T scale) V, and its gradients, without the matrix of scores in memory (Dao et
// al., FlashAttention, 2022; Dao, FlashAttention-2, 2023). Four neighbouring threads have a row, each a quarter of its width
// in registers; tiles of the other side's rows pass through shared memory. All sums are formed in a fixed order.
// Floor: 4 T S D floating-point operations forward and 10 T S D backward, half of them where it is causal; the gradients
// take 14 T S D here, as the scores are computed for dQ and again for dK and dV. Single precision throughout: this is for
// where no library has attention on tensor cores.

const int TILE = 32;
// A thread's columns are PARTS packs of 4, one for every 16 columns; rows in shared memory are 4 columns longer than that, so
// that neighbouring rows are in different banks.
const int STRIDE = PARTS * 16 + 4;
typedef Pack<float, 4> Four;

// The number of a thread's row in a tile, and which quarter it has.
__device__ __forceinline__ int row_in_tile() { return threadIdx.x / 4; }
__device__ __forceinline__ int quarter() { return threadIdx.x % 4; }

// A quarter of a row; 0 beyond the width, and everywhere where there is no such row.
__device__ __forceinline__ void read_quarter(float own[PARTS * 4], const Element* row, bool exists, int width) {
#pragma unroll
    for (int k = 0; k < PARTS * 4; k++) {
        const int column = (k / 4 * 4 + quarter()) * 4 + k % 4;
        own[k] = exists && column < width ? to_float(row[column]) : 0.0f;
    }
}

__device__ __forceinline__ void write_quarter(Element* row, const float own[PARTS * 4], float scale, int width) {
#pragma unroll
    for (int k = 0; k < PARTS * 4; k++) {
        const int column = (k / 4 * 4 + quarter()) * 4 + k % 4;
        if (column < width) {
            row[column] = element(own[k] * scale);
        }
    }
}

// All threads of a block read rows from first on into shared memory, zeros where there are none.
__device__ __forceinline__ void read_tile(float* tile, const Element* rows, int first, int count, int width) {
    for (int i = threadIdx.x; i < TILE * PARTS * 16; i += blockDim.x) {
        const int row = i / (PARTS * 16), column = i % (PARTS * 16);
        const bool exists = first + row < count && column < width;
        tile[row * STRIDE + column] = exists ? to_float(rows[(long long) (first + row) * width + column]) : 0.0f;
    }
}

// The inner product of a row that four threads have and a row of a tile, known to all four.
__device__ __forceinline__ float inner(const float own[PARTS * 4], const float* row) {
    float sum = 0;
#pragma unroll
    for (int k = 0; k < PARTS; k++) {
        const Four other = *(const Four*) (row + (k * 4 + quarter()) * 4);
#pragma unroll
        for (int j = 0; j < 4; j++) {
            sum += own[4 * k + j] * other.at[j];
        }
    }
    sum += __shfl_xor_sync(0xffffffffu, sum, 1);
    return sum + __shfl_xor_sync(0xffffffffu, sum, 2);
}

// Adds a multiple of a row of a tile.
__device__ __forceinline__ void add(float own[PARTS * 4], float factor, const float* row) {
#pragma unroll
    for (int k = 0; k < PARTS; k++) {
        const Four other = *(const Four*) (row + (k * 4 + quarter()) * 4);
#pragma unroll
        for (int j = 0; j < 4; j++) {
            own[4 * k + j] += factor * other.at[j];
        }
    }
}

// The tile of 32 rows that a block has, and the head that it is of.
__device__ __forceinline__ int own_tile(int rows) { return blockIdx.x % ((rows + TILE - 1) / TILE) * TILE; }
__device__ __forceinline__ long long own_head(int rows) { return blockIdx.x / ((rows + TILE - 1) / TILE); }

extern "C" __global__ void __launch_bounds__(128) attention(
    const Element* q, const Element* k, const Element* v, Element* output, float* lse, int queries, int keys, int width,
    float scale, int causal) {
    __shared__ Four key_rows[TILE * STRIDE / 4];
    __shared__ Four value_rows[TILE * STRIDE / 4];
    float* key_tile = key_rows[0].at;
    float* value_tile = value_rows[0].at;
    const long long head = own_head(queries);
    const int query = own_tile(queries) + row_in_tile();
    const bool exists = query < queries;
    k += head * keys * width;
    v += head * keys * width;
    float own[PARTS * 4], sum[PARTS * 4];
    read_quarter(own, q + (head * queries + query) * width, exists, width);
#pragma unroll
    for (int i = 0; i < PARTS * 4; i++) {
        sum[i] = 0;
    }
    const float infinity = INFINITE;
    float largest = -infinity, total = 0;
    const int end = causal != 0 ? min(keys, own_tile(queries) + TILE) : keys;
    for (int first = 0; first < end; first += TILE) {
        __syncthreads();
        read_tile(key_tile, k, first, keys, width);
        read_tile(value_tile, v, first, keys, width);
        __syncthreads();
        // Of every four scores a thread keeps one.
        float scores[TILE / 4], most = largest;
#pragma unroll
        for (int j = 0; j < TILE; j++) {
            const int key = first + j;
            const bool seen = key < keys && (causal == 0 || key <= query);
            const float score = inner(own, key_tile + j * STRIDE) * scale;
            const float kept = seen ? score : -infinity;
            scores[j / 4] = j % 4 == quarter() ? kept : scores[j / 4];
            most = fmaxf(most, kept);
        }
        // Where nothing has been seen yet all weights are 0.
        const float shift = most == -infinity ? 0.0f : most;
        const float rescale = expf(largest - shift);
        largest = most;
        float tile_sum = 0;
#pragma unroll
        for (int j = 0; j < TILE / 4; j++) {
            scores[j] = expf(scores[j] - shift);
            tile_sum += scores[j];
        }
        tile_sum += __shfl_xor_sync(0xffffffffu, tile_sum, 1);
        tile_sum += __shfl_xor_sync(0xffffffffu, tile_sum, 2);
        total = total * rescale + tile_sum;
#pragma unroll
        for (int i = 0; i < PARTS * 4; i++) {
            sum[i] *= rescale;
        }
#pragma unroll
        for (int j = 0; j < TILE; j++) {
            const float weight = __shfl_sync(0xffffffffu, scores[j / 4], threadIdx.x % 32 / 4 * 4 + j % 4);
            add(sum, weight, value_tile + j * STRIDE);
        }
    }
    if (exists) {
        write_quarter(output + (head * queries + query) * width, sum, 1.0f / total, width);
        if (quarter() == 0) {
            lse[head * queries + query] = largest + logf(total);
        }
    }
}

// For each query the inner product of the output and its gradient; a warp for each.
extern "C" __global__ void __launch_bounds__(256) attention_inner(
    const Element* output, const Element* doutput, float* inners, long long rows, int width) {
    const long long row = (long long) blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32;
    if (row >= rows) {
        return;
    }
    float sum = 0;
    for (int j = threadIdx.x % 32; j < width; j += 32) {
        sum += to_float(output[row * width + j]) * to_float(doutput[row * width + j]);
    }
    for (int lanes = 16; lanes > 0; lanes /= 2) {
        sum += __shfl_xor_sync(0xffffffffu, sum, lanes);
    }
    if (threadIdx.x % 32 == 0) {
        inners[row] = sum;
    }
}

// dQ: four threads have a query, tiles of keys and values pass by.
extern "C" __global__ void __launch_bounds__(128) attention_query_gradient(
    const Element* q, const Element* k, const Element* v, const float* lse, const Element* doutput, const float* inners,
    Element* dq, int queries, int keys, int width, float scale, int causal) {
    __shared__ Four key_rows[TILE * STRIDE / 4];
    __shared__ Four value_rows[TILE * STRIDE / 4];
    float* key_tile = key_rows[0].at;
    float* value_tile = value_rows[0].at;
    const long long head = own_head(queries);
    const int query = own_tile(queries) + row_in_tile();
    const bool exists = query < queries;
    const long long row = head * queries + query;
    k += head * keys * width;
    v += head * keys * width;
    float own[PARTS * 4], gradient[PARTS * 4], sum[PARTS * 4];
    read_quarter(own, q + row * width, exists, width);
    read_quarter(gradient, doutput + row * width, exists, width);
#pragma unroll
    for (int i = 0; i < PARTS * 4; i++) {
        sum[i] = 0;
    }
    const float own_lse = exists ? lse[row] : 0.0f, own_inner = exists ? inners[row] : 0.0f;
    const int end = causal != 0 ? min(keys, own_tile(queries) + TILE) : keys;
    for (int first = 0; first < end; first += TILE) {
        __syncthreads();
        read_tile(key_tile, k, first, keys, width);
        read_tile(value_tile, v, first, keys, width);
        __syncthreads();
        for (int j = 0; j < TILE; j++) {
            const bool seen = first + j < keys && (causal == 0 || first + j <= query);
            const float score = inner(own, key_tile + j * STRIDE) * scale;
            const float slope = inner(gradient, value_tile + j * STRIDE) - own_inner;
            add(sum, seen ? expf(score - own_lse) * slope : 0.0f, key_tile + j * STRIDE);
        }
    }
    if (exists) {
        write_quarter(dq + row * width, sum, scale, width);
    }
}

// dK and dV: four threads have a key and its value, tiles of queries and of the output's gradients pass by.
extern "C" __global__ void __launch_bounds__(128) attention_key_gradient(
    const Element* q, const Element* k, const Element* v, const float* lse, const Element* doutput, const float* inners,
    Element* dk, Element* dv, int queries, int keys, int width, float scale, int causal) {
    __shared__ Four query_rows[TILE * STRIDE / 4];
    __shared__ Four gradient_rows[TILE * STRIDE / 4];
    float* query_tile = query_rows[0].at;
    float* gradient_tile = gradient_rows[0].at;
    __shared__ float tile_lse[TILE];
    __shared__ float tile_inner[TILE];
    const long long head = own_head(keys);
    const int key = own_tile(keys) + row_in_tile();
    const bool exists = key < keys;
    const long long row = head * keys + key;
    q += head * queries * width;
    doutput += head * queries * width;
    lse += head * queries;
    inners += head * queries;
    float own_key[PARTS * 4], own_value[PARTS * 4], key_sum[PARTS * 4], value_sum[PARTS * 4];
    read_quarter(own_key, k + row * width, exists, width);
    read_quarter(own_value, v + row * width, exists, width);
#pragma unroll
    for (int i = 0; i < PARTS * 4; i++) {
        key_sum[i] = value_sum[i] = 0;
    }
    // Queries before the block's first key see none of its keys.
    const int begin = causal != 0 ? own_tile(keys) : 0;
    for (int first = begin; first < queries; first += TILE) {
        __syncthreads();
        read_tile(query_tile, q, first, queries, width);
        read_tile(gradient_tile, doutput, first, queries, width);
        if (threadIdx.x < TILE) {
            const int query = first + threadIdx.x;
            tile_lse[threadIdx.x] = query < queries ? lse[query] : 0.0f;
            tile_inner[threadIdx.x] = query < queries ? inners[query] : 0.0f;
        }
        __syncthreads();
        for (int j = 0; j < TILE; j++) {
            const bool seen = first + j < queries && (causal == 0 || key <= first + j);
            const float score = inner(own_key, query_tile + j * STRIDE) * scale;
            const float weight = seen ? expf(score - tile_lse[j]) : 0.0f;
            const float slope = inner(own_value, gradient_tile + j * STRIDE) - tile_inner[j];
            add(value_sum, weight, gradient_tile + j * STRIDE);
            add(key_sum, seen ? weight * slope : 0.0f, query_tile + j * STRIDE);
        }
    }
    if (exists) {
        write_quarter(dk + row * width, key_sum, scale, width);
        write_quarter(dv + row * width, value_sum, 1.0f, width);
    }
}
