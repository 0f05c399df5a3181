// Runs kernels thread by thread. The compiler instruments every access of theirs to memory (-fsanitize=kernel-address) with
// a call of one of the functions at the end, which know all memory that there is: an access to any other, a read of shared
// memory that nobody wrote, and two accesses to it of which one is a write and which no barrier orders, end the launch.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sys/mman.h>
#include <vector>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

struct emulated_dim {
    unsigned x, y, z;
};

emulated_dim threadIdx, blockIdx, blockDim, gridDim;

namespace {

typedef void (*Entry)(void**);

constexpr int MOST_THREADS = 1024, SHARED_BYTES = 232448;
constexpr size_t STACK_BYTES = 512 << 10;

enum State { READY, AT_BLOCK_BARRIER, AT_WARP_BARRIER, DONE };

struct Fiber {
#if defined(__x86_64__)
    void* stack_pointer;
#else
    ucontext_t context;
#endif
    State state;
    int place;
    unsigned mask;
};

// Who touched a byte of shared memory, and when.
struct Touch {
    uint32_t write_epoch, read_epoch, write_warp_epoch, read_warp_epoch;
    int16_t writer, reader;
};

constexpr int16_t SEVERAL = -1;

Fiber main_fiber, fibers[MOST_THREADS];
char* stacks;
int current = -1;
Entry entry;
void** values;
int threads;
uint32_t epoch, warp_epochs[MOST_THREADS / 32];
unsigned long long lanes[MOST_THREADS];
alignas(256) char shared_memory[SHARED_BYTES];
Touch touches[SHARED_BYTES];
size_t shared_used, dynamic_bytes;
std::map<int, std::pair<char*, size_t>> shared_arrays;
std::map<uintptr_t, size_t> allocations;
uintptr_t known_start, known_end;
char message[1024];
bool failed;
bool barriers;
std::vector<int> order, block_order;

#if defined(__x86_64__)
extern "C" void emulated_switch(void** save, void* to);
asm(".text\n"
    ".globl emulated_switch\n"
    ".hidden emulated_switch\n"
    "emulated_switch:\n"
    "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n    pushq %r13\n    pushq %r14\n    pushq %r15\n"
    "    movq %rsp, (%rdi)\n"
    "    movq %rsi, %rsp\n"
    "    popq %r15\n    popq %r14\n    popq %r13\n    popq %r12\n    popq %rbx\n    popq %rbp\n"
    "    ret\n");

void switch_to(Fiber& from, Fiber& to) { emulated_switch(&from.stack_pointer, to.stack_pointer); }

void prepare(Fiber& fiber, char* stack, void (*run)()) {
    // Where the switch returns to, below it what it restores; the stack is aligned as after a call.
    void** top = (void**) (stack + STACK_BYTES - 64);
    *--top = nullptr;
    *--top = (void*) run;
    for (int i = 0; i < 6; i++) {
        *--top = nullptr;
    }
    fiber.stack_pointer = top;
}
#else
void switch_to(Fiber& from, Fiber& to) { swapcontext(&from.context, &to.context); }

void prepare(Fiber& fiber, char* stack, void (*run)()) {
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = stack;
    fiber.context.uc_stack.ss_size = STACK_BYTES;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, run, 0);
}
#endif

void set_thread(int thread) {
    current = thread;
    threadIdx.x = thread % blockDim.x;
    threadIdx.y = thread / blockDim.x % blockDim.y;
    threadIdx.z = thread / blockDim.x / blockDim.y;
}

// Notes what is wrong and never comes back.
void fail(const char* what, const void* address = nullptr, size_t bytes = 0) {
    if (!failed) {
        failed = true;
        int n = snprintf(message, sizeof message, "thread (%u, %u, %u) of block (%u, %u, %u) %s", threadIdx.x, threadIdx.y,
                         threadIdx.z, blockIdx.x, blockIdx.y, blockIdx.z, what);
        if (address != nullptr) {
            auto next = allocations.upper_bound((uintptr_t) address);
            n += snprintf(message + n, sizeof message - n, " (%zu bytes at %p", bytes, address);
            if (next != allocations.begin()) {
                --next;
                snprintf(message + n, sizeof message - n, ", %td bytes from the start of an allocation of %zu)",
                         (char*) address - (char*) next->first, next->second);
            } else {
                snprintf(message + n, sizeof message - n, ")");
            }
        }
    }
    Fiber& own = fibers[barriers ? current : 0];
    own.state = DONE;
    switch_to(own, main_fiber);
    abort();
}

void run_thread() {
    entry(values);
    Fiber& own = fibers[current];
    own.state = DONE;
    switch_to(own, main_fiber);
    abort();
}

uint32_t block_epoch;

void new_block() {
    shared_used = 0;
    shared_arrays.clear();
    memset(warp_epochs, 0, sizeof warp_epochs);
    epoch++;
    // Everything before counts as never written.
    known_start = known_end = 0;
    block_epoch = epoch;
}


// Without barriers threads simply follow each other, all on one fiber.
void run_all() {
    for (int block : block_order) {
        blockIdx = {block % gridDim.x, block / gridDim.x % gridDim.y, block / gridDim.x / gridDim.y};
        new_block();
        for (int thread : order) {
            set_thread(thread);
            entry(values);
        }
    }
    current = 0;
    fibers[0].state = DONE;
    switch_to(fibers[0], main_fiber);
    abort();
}

bool release_warps() {
    bool released = false;
    for (int first = 0; first < threads; first += 32) {
        unsigned waiting = 0, existing = 0, done = 0, wanted = 0;
        int place = 0;
        for (int lane = 0; lane < 32 && first + lane < threads; lane++) {
            Fiber& fiber = fibers[first + lane];
            existing |= 1u << lane;
            done |= fiber.state == DONE ? 1u << lane : 0;
            if (fiber.state == AT_WARP_BARRIER) {
                waiting |= 1u << lane;
                wanted = fiber.mask;
                place = fiber.place;
            }
        }
        if (waiting == 0) {
            continue;
        }
        wanted &= existing;
        if ((wanted & done) != 0) {
            set_thread(first);
            snprintf(message, sizeof message, "warp %d of block %u: some lanes ended before the others' warp operation in "
                     "line %d", first / 32, blockIdx.x, place);
            failed = true;
            return false;
        }
        if ((waiting & wanted) == wanted) {
            for (int lane = 0; lane < 32; lane++) {
                if (wanted >> lane & 1) {
                    Fiber& fiber = fibers[first + lane];
                    if (fiber.place != place) {
                        snprintf(message, sizeof message, "lanes of warp %d of block %u are at different warp operations "
                                 "(lines %d and %d)", first / 32, blockIdx.x, place, fiber.place);
                        failed = true;
                        return false;
                    }
                    fiber.state = READY;
                }
            }
            // A __syncwarp, unlike a shuffle, orders what the lanes do to memory.
            warp_epochs[first / 32] += place < 0;
            released = true;
        }
    }
    return released;
}

bool release_block() {
    int at = 0, done = 0, place = 0;
    for (int t = 0; t < threads; t++) {
        if (fibers[t].state == AT_BLOCK_BARRIER) {
            if (at++ == 0) {
                place = fibers[t].place;
            } else if (place != fibers[t].place) {
                snprintf(message, sizeof message, "threads of block %u are at different barriers (lines %d and %d)",
                         blockIdx.x, place, fibers[t].place);
                failed = true;
                return false;
            }
        }
        done += fibers[t].state == DONE;
    }
    if (at > 0 && at + done == threads) {
        if (done > 0) {
            snprintf(message, sizeof message, "%d threads of block %u ended before the others' barrier in line %d", done,
                     blockIdx.x, place);
            failed = true;
            return false;
        }
        for (int t = 0; t < threads; t++) {
            fibers[t].state = READY;
        }
        epoch++;
        return true;
    }
    return false;
}

void run_block() {
    for (int t = 0; t < threads; t++) {
        prepare(fibers[t], stacks + t * STACK_BYTES, run_thread);
        fibers[t].state = READY;
    }
    while (!failed) {
        bool ran = false;
        for (int t : order) {
            if (fibers[t].state == READY) {
                set_thread(t);
                switch_to(main_fiber, fibers[t]);
                ran = true;
                if (failed) {
                    return;
                }
            }
        }
        if (release_warps() || release_block() || failed) {
            continue;
        }
        int done = 0;
        for (int t = 0; t < threads; t++) {
            done += fibers[t].state == DONE;
        }
        if (done == threads) {
            return;
        }
        if (!ran) {
            snprintf(message, sizeof message, "block %u waits for ever", blockIdx.x);
            failed = true;
        }
    }
}

bool in_stacks(uintptr_t at) {
    return at >= (uintptr_t) stacks && at < (uintptr_t) stacks + MOST_THREADS * STACK_BYTES;
}

// Whether two accesses by different threads are not ordered by a barrier.
bool unordered(uint32_t then, uint32_t warp_then, int16_t who) {
    if (then != epoch || who == current) {
        return false;
    }
    return who == SEVERAL || who / 32 != current / 32 || warp_then == warp_epochs[current / 32];
}

void check_shared(size_t offset, size_t bytes, bool write) {
    for (size_t i = offset; i < offset + bytes; i++) {
        Touch& touch = touches[i];
        if (!write && touch.write_epoch < block_epoch) {
            fail("reads shared memory that no thread has written", shared_memory + offset, bytes);
        }
        if (unordered(touch.write_epoch, touch.write_warp_epoch, touch.writer)) {
            fail(write ? "writes shared memory that another thread writes, with no barrier between"
                       : "reads shared memory that another thread writes, with no barrier between",
                 shared_memory + offset, bytes);
        }
        if (write) {
            if (unordered(touch.read_epoch, touch.read_warp_epoch, touch.reader)) {
                fail("writes shared memory that another thread reads, with no barrier between", shared_memory + offset, bytes);
            }
            touch.write_epoch = epoch;
            touch.write_warp_epoch = warp_epochs[current / 32];
            touch.writer = (int16_t) current;
        } else {
            bool again = touch.read_epoch == epoch && touch.reader != current;
            touch.reader = again ? SEVERAL : (int16_t) current;
            touch.read_epoch = epoch;
            touch.read_warp_epoch = warp_epochs[current / 32];
        }
    }
}

void check(uintptr_t at, size_t bytes, bool write) {
    if (at >= known_start && at + bytes <= known_end) {
        if (at % (bytes == 0 ? 1 : bytes) != 0 && (bytes & (bytes - 1)) == 0) {
            fail("accesses memory that is not aligned to the size of the access", (void*) at, bytes);
        }
        return;
    }
    if (in_stacks(at)) {
        return;
    }
    if (at >= (uintptr_t) shared_memory && at < (uintptr_t) shared_memory + SHARED_BYTES) {
        for (auto& array : shared_arrays) {
            uintptr_t start = (uintptr_t) array.second.first;
            if (at >= start && at + bytes <= start + array.second.second) {
                check_shared(at - (uintptr_t) shared_memory, bytes, write);
                return;
            }
        }
        fail("accesses shared memory beyond an array's end", (void*) at, bytes);
    }
    auto next = allocations.upper_bound(at);
    if (next != allocations.begin()) {
        --next;
        if (at + bytes <= next->first + next->second) {
            known_start = next->first;
            known_end = next->first + next->second;
            check(at, bytes, write);
            return;
        }
    }
    fail(write ? "writes memory that is not its own" : "reads memory that is not its own", (void*) at, bytes);
}

void shuffle(std::vector<int>& numbers, int count, int mode) {
    numbers.resize(count);
    uint64_t random = 0x9E3779B97F4A7C15u;
    for (int i = 0; i < count; i++) {
        numbers[i] = mode == 1 ? count - 1 - i : i;
    }
    for (int i = count - 1; mode == 2 && i > 0; i--) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        std::swap(numbers[i], numbers[(random >> 33) % (i + 1)]);
    }
}

}  // namespace

extern "C" {

// Memory that kernels may access, or no longer.
void emulated_allocated(uintptr_t address, size_t bytes) { allocations[address] = bytes; }

void emulated_freed(uintptr_t address) {
    allocations.erase(address);
    known_start = known_end = 0;
}

// Runs a kernel; says what it did wrong, or nothing. Threads and blocks run in order, in reverse (1), or shuffled (2).
const char* emulated_launch(Entry kernel, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                            unsigned block_y, unsigned block_z, size_t dynamic_shared, int has_barriers, int mode,
                            void** arguments) {
    if (stacks == nullptr) {
        stacks = (char*) mmap(nullptr, MOST_THREADS * STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    failed = false;
    threads = block_x * block_y * block_z;
    size_t blocks = (size_t) grid_x * grid_y * grid_z;
    if (threads < 1 || threads > MOST_THREADS || blocks < 1 || blocks > 0x7fffffff || grid_y > 65535 || grid_z > 65535) {
        snprintf(message, sizeof message, "a grid of %u x %u x %u blocks of %u x %u x %u threads cannot be launched", grid_x,
                 grid_y, grid_z, block_x, block_y, block_z);
        return message;
    }
    if (dynamic_shared > SHARED_BYTES - 1024) {
        snprintf(message, sizeof message, "%zu bytes of dynamic shared memory are too many", dynamic_shared);
        return message;
    }
    entry = kernel;
    values = arguments;
    gridDim = {grid_x, grid_y, grid_z};
    blockDim = {block_x, block_y, block_z};
    dynamic_bytes = dynamic_shared;
    barriers = has_barriers;
    shuffle(order, threads, mode);
    shuffle(block_order, (int) blocks, mode);
    if (epoch > 0x70000000) {
        memset(touches, 0, sizeof touches);
        epoch = 0;
    }
    if (!barriers) {
        prepare(fibers[0], stacks, run_all);
        switch_to(main_fiber, fibers[0]);
        return failed ? message : nullptr;
    }
    for (int block : block_order) {
        blockIdx = {block % grid_x, block / grid_x % grid_y, block / grid_x / grid_y};
        new_block();
        run_block();
        if (failed) {
            return message;
        }
    }
    return nullptr;
}

void emulated_block_barrier(int place) {
    if (!barriers) {
        fail("waits at a barrier in a kernel that was said to have none");
    }
    Fiber& own = fibers[current];
    own.state = AT_BLOCK_BARRIER;
    own.place = place;
    switch_to(own, main_fiber);
}

void emulated_warp_barrier(unsigned mask, int place) {
    if (!barriers) {
        fail("uses a warp operation in a kernel that was said to have none");
    }
    Fiber& own = fibers[current];
    own.state = AT_WARP_BARRIER;
    own.place = place;
    own.mask = mask;
    switch_to(own, main_fiber);
}

unsigned long long* emulated_lanes() { return lanes + current / 32 * 32; }

void emulated_lane(unsigned mask, int lane) {
    if ((mask >> lane & 1) == 0 || current / 32 * 32 + lane >= threads) {
        fail("reads in a shuffle from a lane that takes no part");
    }
}

// The array of shared memory with that number: the same for all threads of a block, undefined at first.
void* emulated_shared(int number, size_t bytes) {
    auto known = shared_arrays.find(number);
    if (known != shared_arrays.end()) {
        return known->second.first;
    }
    size_t start = (shared_used + 15) / 16 * 16;
    if (start + bytes > SHARED_BYTES) {
        fail("needs more shared memory than there is");
    }
    // Some bytes between arrays belong to none.
    shared_used = start + bytes + 16;
    memset(shared_memory + start, 0xff, bytes);
    shared_arrays[number] = {shared_memory + start, bytes};
    return shared_memory + start;
}

void* emulated_dynamic_shared() { return emulated_shared(-1, dynamic_bytes); }

void emulated_atomic(void* address, size_t bytes) {
    uintptr_t at = (uintptr_t) address;
    if (at >= (uintptr_t) shared_memory && at < (uintptr_t) shared_memory + SHARED_BYTES) {
        return;
    }
    check(at, bytes, true);
}

#define CHECKED(SIZE) \
    void __asan_load##SIZE##_noabort(uintptr_t at) { check(at, SIZE, false); } \
    void __asan_store##SIZE##_noabort(uintptr_t at) { check(at, SIZE, true); }

CHECKED(1)
CHECKED(2)
CHECKED(4)
CHECKED(8)
CHECKED(16)

void __asan_loadN_noabort(uintptr_t at, size_t bytes) { check(at, bytes, false); }
void __asan_storeN_noabort(uintptr_t at, size_t bytes) { check(at, bytes, true); }
void __asan_handle_no_return() {}
}
