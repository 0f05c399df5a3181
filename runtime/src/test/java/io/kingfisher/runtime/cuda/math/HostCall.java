package io.kingfisher.runtime.cuda.math;

import io.kingfisher.nativebindings.NativeBlock;
import io.kingfisher.nativebindings.NativeMemory;
import io.kingfisher.runtime.DType;
import java.util.ArrayList;
import java.util.List;

/** Runs a call on host memory: operands are copied in, results start as NaN and are copied out. */
final class HostCall implements AutoCloseable {
    private final List<NativeBlock> blocks = new ArrayList<>();
    private final List<Long> addresses = new ArrayList<>();

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
                    7,
                    addresses.stream().mapToLong(Long::longValue).toArray(),
                    call.workspaceBytes() == 0 ? 0 : workspace);
        }
        return this;
    }

    private long allocate(long bytes) {
        NativeBlock block = NativeMemory.allocate(bytes + 256);
        blocks.add(block);
        return block.segment().address() + 255 & -256;
    }

    @Override
    public void close() {
        blocks.forEach(NativeBlock::close);
    }
}
