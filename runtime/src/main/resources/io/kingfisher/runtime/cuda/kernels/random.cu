// Random numbers by Philox 4x32-10 (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011). A thread computes
// a block of four words, which are four elements.
// Floor: every element is written once.

enum Distribution { UNIFORM, NORMAL, RADEMACHER };

__device__ __forceinline__ void philox(unsigned words[4], unsigned key0, unsigned key1) {
    for (int round = 0; round < 10; round++) {
        const unsigned high0 = __umulhi(0xD2511F53u, words[0]), low0 = 0xD2511F53u * words[0];
        const unsigned high1 = __umulhi(0xCD9E8D57u, words[2]), low1 = 0xCD9E8D57u * words[2];
        words[0] = high1 ^ words[1] ^ key0;
        words[1] = low1;
        words[2] = high0 ^ words[3] ^ key1;
        words[3] = low0;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
}

// Two normal numbers of two words (Box and Muller), in double precision as on every device.
__device__ __forceinline__ void normal(unsigned w0, unsigned w1, float& first, float& second) {
    const double scale = 1.0 / (1 << 24), pi = 3.14159265358979323846;
    const double radius = sqrt(-2.0 * log(((w0 >> 8) + 1) * scale));
    // The nearest quarter turn, then an angle of at most pi / 4 from there.
    const int turn = (int) (w1 >> 8), quarter = (turn + (1 << 21)) >> 22;
    const double angle = 2 * pi * (turn - (quarter << 22)) * scale;
    const double c = cos(angle), s = sin(angle);
    const bool swap = (quarter & 1) != 0;
    const double sign = (quarter & 2) != 0 ? -radius : radius;
    first = (float) (sign * (swap ? -s : c));
    second = (float) (sign * (swap ? c : s));
}

__device__ __forceinline__ void draw(const int* state, float* to, int stream, long long count, int distribution) {
    const long long block = (long long) blockIdx.x * blockDim.x + threadIdx.x;
    if (block * 4 >= count) {
        return;
    }
    unsigned words[4] = {(unsigned) block, (unsigned) stream, (unsigned) state[2], (unsigned) state[3]};
    philox(words, (unsigned) state[0], (unsigned) state[1]);
    float numbers[4];
    if (distribution == NORMAL) {
        normal(words[0], words[1], numbers[0], numbers[1]);
        normal(words[2], words[3], numbers[2], numbers[3]);
    } else {
        for (int i = 0; i < 4; i++) {
            numbers[i] = distribution == UNIFORM ? (words[i] >> 8) * (1.0f / (1 << 24)) : (words[i] & 1) != 0 ? -1.0f : 1.0f;
        }
    }
    for (int i = 0; i < 4; i++) {
        if (block * 4 + i < count) {
            to[block * 4 + i] = numbers[i];
        }
    }
}

extern "C" __global__ void __launch_bounds__(256) uniform(const int* state, float* to, int stream, long long count) {
    draw(state, to, stream, count, UNIFORM);
}

extern "C" __global__ void __launch_bounds__(256) normal_numbers(const int* state, float* to, int stream, long long count) {
    draw(state, to, stream, count, NORMAL);
}

extern "C" __global__ void __launch_bounds__(256) rademacher(const int* state, float* to, int stream, long long count) {
    draw(state, to, stream, count, RADEMACHER);
}
