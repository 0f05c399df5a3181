// Zeros around an array.
// Floor: every element of the input is read once, every element of the output written once.

extern "C" __global__ void __launch_bounds__(256) pad(
    const Bits* from, Bits* to,
    // For each axis, outermost first: the output's extent, the input's, the zeros before it, and both strides.
    const long long* axes,
    int rank, long long count, long long from_start, long long to_start) {
    long long rest = (long long) blockIdx.x * blockDim.x + threadIdx.x;
    if (rest >= count) {
        return;
    }
    long long source = from_start, target = to_start;
    bool inside = true;
    for (int axis = rank - 1; axis >= 0; axis--) {
        const long long* a = axes + 5 * axis;
        const long long index = rest % a[0], place = index - a[2];
        rest /= a[0];
        inside = inside && place >= 0 && place < a[1];
        source += place * a[3];
        target += index * a[4];
    }
    to[target] = inside ? from[source] : 0;
}
