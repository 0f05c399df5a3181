// Numbers in memory and numbers to compute with. Put before every kernel: NVRTC has no headers of its own at run time.

// The upper half of a float.
struct bf16 {
    unsigned short bits;
};

// IEEE 754 half precision.
struct f16 {
    unsigned short bits;
};

// Elements that are loaded and stored together.
template <typename T, int N>
struct alignas(sizeof(T) * N) Pack {
    T at[N];
};

__device__ __forceinline__ float half_to_float(unsigned short bits) {
#ifdef __CUDA_ARCH__
    float x;
    asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
    return x;
#else
    const unsigned sign = (bits & 0x8000u) << 16, rest = bits & 0x7fffu;
    if (rest >= 0x7c00u) {
        return __uint_as_float(sign | 0x7f800000u | (rest & 0x3ffu) << 13);
    }
    // A multiple of the smallest subnormal is exact in a float.
    const float magnitude = rest < 0x400u ? rest * 5.9604644775390625e-8f : __uint_as_float((rest << 13) + (112u << 23));
    return sign != 0 ? -magnitude : magnitude;
#endif
}

__device__ __forceinline__ unsigned short float_to_half(float x) {
#ifdef __CUDA_ARCH__
    unsigned short bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    return bits;
#else
    const unsigned all = __float_as_uint(x), sign = all >> 16 & 0x8000u, rest = all & 0x7fffffffu;
    if (rest > 0x7f800000u) {
        return 0x7fffu;
    } else if (rest >= 0x477ff000u) {
        return (unsigned short) (sign | 0x7c00u);
    } else if (rest < 0x38800000u) {
        // Adding a half rounds to the spacing of subnormal halves.
        const float shifted = __uint_as_float(rest) + 0.5f;
        return (unsigned short) (sign | (__float_as_uint(shifted) - 0x3f000000u));
    }
    return (unsigned short) (sign | (rest - (112u << 23) + 0xfffu + (rest >> 13 & 1u)) >> 13);
#endif
}

__device__ __forceinline__ unsigned short float_to_bf16(float x) {
    const unsigned bits = __float_as_uint(x);
    return (unsigned short) ((x != x ? bits | 0x400000u : bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(double x) { return (float) x; }
__device__ __forceinline__ float to_float(int x) { return (float) x; }
__device__ __forceinline__ float to_float(unsigned char x) { return (float) x; }
__device__ __forceinline__ float to_float(bf16 x) { return __uint_as_float((unsigned) x.bits << 16); }
__device__ __forceinline__ float to_float(f16 x) { return half_to_float(x.bits); }
__device__ __forceinline__ double to_double(float x) { return x; }
__device__ __forceinline__ double to_double(double x) { return x; }
__device__ __forceinline__ double to_double(int x) { return x; }
__device__ __forceinline__ double to_double(unsigned char x) { return x; }
__device__ __forceinline__ double to_double(bf16 x) { return to_float(x); }
__device__ __forceinline__ double to_double(f16 x) { return to_float(x); }

// A number as an element of memory; integers by truncation, as Java converts.
template <typename T>
struct As;

template <>
struct As<float> {
    static __device__ __forceinline__ float of(float x) { return x; }
    static __device__ __forceinline__ float of(double x) { return (float) x; }
};

template <>
struct As<double> {
    static __device__ __forceinline__ double of(double x) { return x; }
};

template <>
struct As<bf16> {
    static __device__ __forceinline__ bf16 of(float x) { return {float_to_bf16(x)}; }
    static __device__ __forceinline__ bf16 of(double x) { return {float_to_bf16((float) x)}; }
};

template <>
struct As<f16> {
    static __device__ __forceinline__ f16 of(float x) { return {float_to_half(x)}; }
    static __device__ __forceinline__ f16 of(double x) { return {float_to_half((float) x)}; }
};

template <>
struct As<int> {
    static __device__ __forceinline__ int of(float x) { return __float2int_rz(x); }
    static __device__ __forceinline__ int of(double x) { return x != x ? 0 : __double2int_rz(x); }
};

template <>
struct As<unsigned char> {
    static __device__ __forceinline__ unsigned char of(float x) { return (unsigned char) As<int>::of(x); }
    static __device__ __forceinline__ unsigned char of(double x) { return (unsigned char) As<int>::of(x); }
};
