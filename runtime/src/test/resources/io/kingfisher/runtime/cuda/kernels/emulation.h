// CUDA C++ on a processor, for tests: what the kernels use of it, and no more. Blocks run one after another; the threads of
// a block are fibers that run one at a time, from one barrier to the next. Every access to memory is checked (see
// emulation.cpp).
#pragma once

typedef __SIZE_TYPE__ size_t;

#define __device__
#define __global__ static
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __restrict__

struct emulated_dim {
    unsigned x, y, z;
};

extern emulated_dim threadIdx, blockIdx, blockDim, gridDim;

extern "C" {
void emulated_block_barrier(int place);
void emulated_warp_barrier(unsigned mask, int place);
unsigned long long* emulated_lanes();
void emulated_lane(unsigned mask, int lane);
void* emulated_shared(int number, size_t bytes);
void* emulated_dynamic_shared();
void emulated_atomic(void* address, size_t bytes);

float sqrtf(float), expf(float), logf(float), tanhf(float), erff(float), floorf(float), sinf(float), cosf(float);
float log1pf(float), powf(float, float), fmaf(float, float, float), exp2f(float), log2f(float), expm1f(float), ceilf(float);
double sqrt(double), exp(double), log(double), tanh(double), erf(double), floor(double), sin(double), cos(double);
double log1p(double), pow(double, double), fma(double, double, double), exp2(double), log2(double), expm1(double);
double ceil(double);
}

#define __syncthreads() emulated_block_barrier(__LINE__)
#define __syncwarp(...) emulated_warp_barrier(0xffffffffu, -__LINE__)
#define __shfl_xor_sync(mask, value, lanes) emulated_shuffle(mask, value, int((threadIdx.x & 31) ^ (lanes)), __LINE__)
#define __shfl_sync(mask, value, lane) emulated_shuffle(mask, value, int((lane) & 31), __LINE__)
#define __shfl_down_sync(mask, value, lanes) emulated_shuffle(mask, value, int((threadIdx.x & 31) + (lanes)), __LINE__)
#define __shfl_up_sync(mask, value, lanes) emulated_shuffle(mask, value, int(threadIdx.x & 31) - int(lanes), __LINE__)
#define __ballot_sync(mask, condition) emulated_ballot(mask, condition, __LINE__)
#define __any_sync(mask, condition) (emulated_ballot(mask, condition, __LINE__) != 0)
#define __all_sync(mask, condition) (emulated_ballot(mask, condition, __LINE__) == (mask))

template <typename T>
__attribute__((noinline, no_sanitize_address)) T emulated_shuffle(unsigned mask, T value, int lane, int place) {
    static_assert(sizeof(T) <= 8, "shuffles are of 8 bytes at most");
    unsigned long long bits = 0;
    __builtin_memcpy(&bits, &value, sizeof(T));
    emulated_lanes()[threadIdx.x & 31] = bits;
    emulated_warp_barrier(mask, place);
    // Beyond the warp's ends a lane gets its own value.
    const int from = lane < 0 || lane > 31 ? int(threadIdx.x & 31) : lane;
    emulated_lane(mask, from);
    bits = emulated_lanes()[from];
    emulated_warp_barrier(mask, place);
    __builtin_memcpy(&value, &bits, sizeof(T));
    return value;
}

__attribute__((noinline, no_sanitize_address)) inline unsigned emulated_ballot(unsigned mask, bool condition, int place) {
    emulated_lanes()[threadIdx.x & 31] = condition;
    emulated_warp_barrier(mask, place);
    unsigned result = 0;
    for (int lane = 0; lane < 32; lane++) {
        result |= mask >> lane & 1 && emulated_lanes()[lane] ? 1u << lane : 0;
    }
    emulated_warp_barrier(mask, place);
    return result;
}

template <typename T>
__attribute__((noinline, no_sanitize_address)) T atomicAdd(T* address, T value) {
    emulated_atomic(address, sizeof(T));
    const T old = *address;
    *address = old + value;
    return old;
}

template <typename T>
__attribute__((noinline, no_sanitize_address)) T atomicMax(T* address, T value) {
    emulated_atomic(address, sizeof(T));
    const T old = *address;
    *address = old > value ? old : value;
    return old;
}

inline float __uint_as_float(unsigned x) { return __builtin_bit_cast(float, x); }
inline float __int_as_float(int x) { return __builtin_bit_cast(float, x); }
inline unsigned __float_as_uint(float x) { return __builtin_bit_cast(unsigned, x); }
inline int __float_as_int(float x) { return __builtin_bit_cast(int, x); }
inline double __longlong_as_double(long long x) { return __builtin_bit_cast(double, x); }
inline long long __double_as_longlong(double x) { return __builtin_bit_cast(long long, x); }
inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned) ((unsigned long long) a * b >> 32); }
inline int __float2int_rz(float x) {
    return x != x ? 0 : x >= 2147483648.0f ? 0x7fffffff : x < -2147483648.0f ? -0x7fffffff - 1 : (int) x;
}
inline int __double2int_rz(double x) {
    return x != x ? -0x7fffffff - 1 : x >= 2147483647.0 ? 0x7fffffff : x <= -2147483648.0 ? -0x7fffffff - 1 : (int) x;
}
inline float fabsf(float x) { return __builtin_fabsf(x); }
inline double fabs(double x) { return __builtin_fabs(x); }
// As the hardware: a NaN is left out, and -0 is smaller than 0.
inline float fmaxf(float a, float b) { return a != a ? b : b != b ? a : a > b ? a : b > a ? b : __builtin_signbit(a) ? b : a; }
inline float fminf(float a, float b) { return a != a ? b : b != b ? a : a < b ? a : b < a ? b : __builtin_signbit(a) ? a : b; }
inline double fmax(double a, double b) { return a != a ? b : b != b ? a : a > b ? a : b > a ? b : __builtin_signbit(a) ? b : a; }
inline double fmin(double a, double b) { return a != a ? b : b != b ? a : a < b ? a : b < a ? b : __builtin_signbit(a) ? a : b; }
// CUDA has every function for floats under its plain name as well.
inline float exp(float x) { return expf(x); }
inline float log(float x) { return logf(x); }
inline float sqrt(float x) { return sqrtf(x); }
inline float fabs(float x) { return fabsf(x); }
inline float fmax(float a, float b) { return fmaxf(a, b); }
inline float fmin(float a, float b) { return fminf(a, b); }
inline float rsqrtf(float x) { return 1 / sqrtf(x); }
inline double rsqrt(double x) { return 1 / sqrt(x); }
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
inline long long min(long long a, long long b) { return a < b ? a : b; }
inline long long max(long long a, long long b) { return a > b ? a : b; }

template <typename T>
inline T __ldg(const T* address) { return *address; }

// Calls a kernel with its parameters, given the addresses of their values.
template <int... I>
struct EmulatedIndices {};

template <typename... P, int... I>
__attribute__((no_sanitize_address)) inline void emulated_call(void (*kernel)(P...), void** values, EmulatedIndices<I...>) {
    kernel(*(P*) values[I]...);
}

template <typename... P>
__attribute__((no_sanitize_address)) inline void emulated_call(void (*kernel)(P...), void** values) {
    emulated_call(kernel, values, EmulatedIndices<__integer_pack(sizeof...(P))...>());
}

// The number of a kernel's parameters, and the size of each.
template <typename... P>
__attribute__((no_sanitize_address)) inline int emulated_sizes(void (*)(P...), int* sizes) {
    const int all[] = {(int) sizeof(P)..., 0};
    for (int i = 0; i < (int) sizeof...(P); i++) {
        sizes[i] = all[i];
    }
    return sizeof...(P);
}
