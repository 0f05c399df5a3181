package io.kingfisher.runtime.cuda.math;

import io.kingfisher.nativebindings.NativeBlock;
import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.runtime.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Runs a call on host memory: operands are copied in, results start as NaN and are copied out. */
final class HostCall implements AutoCloseable {
    /** Where memory comes from. */
    interface Memory {
        long allocate(long bytes);

        void free(long address);

        default long stream() {
            return 7;
        }
    }

    private static final Memory HOST = new Memory() {
        private final Map<Long, NativeBlock> blocks = new ConcurrentHashMap<>();

        @Override
        public long allocate(long bytes) {
            NativeBlock block = NativeMemory.allocate(bytes + 256);
            long address = block.address() + 255 & -256;
            blocks.put(address, block);
            return address;
        }

        @Override
        public void free(long address) {
            blocks.remove(address).close();
        }
    };

    private final Memory memory;
    private final List<Long> blocks = new ArrayList<>();
    private final List<Long> addresses = new ArrayList<>();

    HostCall(Memory memory) {
        this.memory = memory == null ? HOST : memory;
    }

    HostCall operand(DType dtype, double... values) {
        long address = allocate((long) values.length * dtype.bytes());
        HostNumbers.write(dtype, address, values);
        addresses.add(address);
        return this;
    }

    HostCall result(long bytes) {
        long address = allocate(bytes);
        NativeMemory.segment(address, bytes).fill((byte) 0xff);
        addresses.add(address);
        return this;
    }

    /** An operand or a result of another call, which must outlive this one. */
    HostCall shared(HostCall other, int index) {
        addresses.add(other.addresses.get(index));
        return this;
    }

    double[] read(int index, DType dtype, long count) {
        return HostNumbers.read(dtype, addresses.get(index), count);
    }

    int info(int index, int b) {
        return NativeMemory.ALL.get(java.lang.foreign.ValueLayout.JAVA_INT, addresses.get(index) + 4L * b);
    }

    HostCall run(Call call) {
        try (call) {
            long workspace = allocate(call.workspaceBytes());
            call.run(
                    memory.stream(),
                    addresses.stream().mapToLong(Long::longValue).toArray(),
                    call.workspaceBytes() == 0 ? 0 : workspace);
        }
        return this;
    }

    private long allocate(long bytes) {
        long address = memory.allocate(Math.max(1, bytes));
        blocks.add(address);
        return address;
    }

    @Override
    public void close() {
        blocks.forEach(memory::free);
    }
}
