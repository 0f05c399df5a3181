// The quotient by a divisor that is known before the launch, by a multiplication (Granlund and Montgomery, 1994): exact for
// numerators below 2^31.
__device__ __forceinline__ unsigned quotient(unsigned n, unsigned factor, unsigned shift) {
    return (__umulhi(n, factor) + n) >> shift;
}
