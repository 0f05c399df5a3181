// The functions of elementwise expressions that CUDA has not or has with another meaning.

__device__ __forceinline__ float number(bool condition, float) { return condition ? 1.0f : 0.0f; }
__device__ __forceinline__ double number(bool condition, double) { return condition ? 1.0 : 0.0; }

// NaN where either is NaN; +0 is larger than -0.
__device__ __forceinline__ float maximum(float a, float b) { return a != a || b != b ? a + b : fmaxf(a, b); }
__device__ __forceinline__ float minimum(float a, float b) { return a != a || b != b ? a + b : fminf(a, b); }
__device__ __forceinline__ double maximum(double a, double b) { return a != a || b != b ? a + b : fmax(a, b); }
__device__ __forceinline__ double minimum(double a, double b) { return a != a || b != b ? a + b : fmin(a, b); }

__device__ __forceinline__ float sign(float x) { return x > 0 ? 1.0f : x < 0 ? -1.0f : x; }
__device__ __forceinline__ double sign(double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : x; }

__device__ __forceinline__ bool is_finite(float x) { return fabsf(x) <= 3.402823466e+38f; }
__device__ __forceinline__ bool is_finite(double x) { return fabs(x) <= 1.7976931348623157e+308; }

__device__ __forceinline__ float sigmoid(float x) {
    const float e = expf(-fabsf(x));
    return x >= 0 ? 1.0f / (1.0f + e) : x < 0 ? e / (1.0f + e) : x;
}
__device__ __forceinline__ double sigmoid(double x) {
    const double e = exp(-fabs(x));
    return x >= 0 ? 1.0 / (1.0 + e) : x < 0 ? e / (1.0 + e) : x;
}

__device__ __forceinline__ float softplus(float x) { return maximum(x, 0.0f) + log1pf(expf(-fabsf(x))); }
__device__ __forceinline__ double softplus(double x) { return maximum(x, 0.0) + log1p(exp(-fabs(x))); }

// As Math.pow in Java: C has 1 for a base of 1 and an exponent that is NaN, and for a base of 1 or -1 and an infinite one.
__device__ __forceinline__ float power(float x, float y) {
    const bool nothing = y != y || (fabsf(x) == 1.0f && !is_finite(y));
    return nothing ? y - y : powf(x, y);
}
__device__ __forceinline__ double power(double x, double y) {
    const bool nothing = y != y || (fabs(x) == 1.0 && !is_finite(y));
    return nothing ? y - y : pow(x, y);
}

// x to the power 0.5: the square root but for -0 and -infinity.
__device__ __forceinline__ float root(float x) { return x < -3.402823466e+38f ? -x : sqrtf(x + 0.0f); }
__device__ __forceinline__ double root(double x) { return x < -1.7976931348623157e+308 ? -x : sqrt(x + 0.0); }
