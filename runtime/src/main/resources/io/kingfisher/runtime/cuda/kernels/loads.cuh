// Elements in one access where they lie so, else those that exist one by one.
template <typename T, int N>
__device__ __forceinline__ void load(Pack<T, N>& to, const T* from, bool whole, int count) {
    if (whole) {
        to = *(const Pack<T, N>*) from;
    } else {
#pragma unroll
        for (int j = 0; j < N; j++) {
            to.at[j] = from[j < count ? j : 0];
        }
    }
}

template <typename T, int N>
__device__ __forceinline__ void store(T* to, const Pack<T, N>& from, bool whole, int count) {
    if (whole) {
        *(Pack<T, N>*) to = from;
    } else {
#pragma unroll
        for (int j = 0; j < N; j++) {
            if (j < count) {
                to[j] = from.at[j];
            }
        }
    }
}
