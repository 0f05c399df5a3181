package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.Memory;
import java.lang.foreign.MemorySegment;

/** Memory of the device that the host reads and writes by copies, in the order of the device's stream. */
final class DeviceMemory implements Memory {
    private final CudaDevice device;
    private final long address;
    private final boolean owned;

    /** Memory that is freed with the tensor where it is {@code owned}, else with a program. */
    DeviceMemory(CudaDevice device, long address, boolean owned) {
        this.device = device;
        this.address = address;
        this.owned = owned;
    }

    @Override
    public long address() {
        return address;
    }

    @Override
    public MemorySegment host(Access access) {
        return null;
    }

    @Override
    public void read(long offset, MemorySegment to) {
        device.download(to, address + offset);
    }

    @Override
    public void write(long offset, MemorySegment from) {
        device.upload(address + offset, from);
    }

    @Override
    public void free() {
        if (owned) {
            device.release(address);
        }
    }
}
