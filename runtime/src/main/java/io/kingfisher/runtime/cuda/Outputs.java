package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.cuda.driver.Driver;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The outputs of a program. The small ones come back with every replay, into the next slot of a ring in pinned memory, so
 * that the host can have handed over {@link #HISTORY} more replays when it reads what one has left; it waits for that one
 * alone. Large ones stay on the device until somebody asks.
 */
final class Outputs {
    /** The replays before the last one whose outputs are kept. */
    static final int HISTORY = 2;

    static final int SLOTS = HISTORY + 1;

    private final CudaDevice device;
    private final Driver driver;
    private final long address;
    private final MemorySegment[] slots = new MemorySegment[SLOTS];
    /** After the download into each slot. */
    private final long[] done = new long[SLOTS];

    private final boolean[] pending = new boolean[SLOTS];
    private final Map<String, Tensor[]> tensors = new LinkedHashMap<>();
    private final boolean any;
    private int latest;

    /**
     * @param pinned zeros, {@link #SLOTS} times as many bytes as the small outputs take
     */
    Outputs(CudaDevice device, Resources resources, Ports ports, MemorySegment pinned) {
        this.device = device;
        this.driver = device.driver();
        this.address = ports.outputAddress();
        this.any = ports.outputBytes() > 0;
        for (int i = 0; i < SLOTS; i++) {
            slots[i] = pinned.asSlice(i * ports.outputBytes(), ports.outputBytes());
            done[i] = resources.event(driver);
        }
        for (Ports.Port port : ports.outputs()) {
            var places = new MemorySegment[SLOTS];
            for (int i = 0; i < SLOTS; i++) {
                places[i] = slots[i].asSlice(port.offset(), port.type().bytes());
            }
            var kept = new Tensor[SLOTS];
            for (int back = 0; back <= HISTORY; back++) {
                kept[back] = device.tensor(
                        port.type().dtype(),
                        port.type().shape(),
                        new OutputMemory(this, address + port.offset(), places, back));
            }
            tensors.put(port.name(), kept);
        }
        for (Ports.Large large : ports.large()) {
            var memory = new DeviceMemory(device, large.buffer().address(), false);
            tensors.put(large.name(), new Tensor[] {
                device.tensor(large.type().dtype(), large.type().shape(), memory)
            });
        }
    }

    /** For each output its tensors: that of the last replay first, then those of the replays before, where they are kept. */
    Map<String, Tensor[]> tensors() {
        return tensors;
    }

    /** Sends for the small outputs of the replay that has just been handed over. Allocates nothing. */
    void download() {
        if (!any) {
            return;
        }
        latest = (latest + 1) % SLOTS;
        driver.download(slots[latest], address, device.stream());
        driver.record(done[latest], device.stream());
        pending[latest] = true;
    }

    /** Waits for a replay's outputs and returns the slot that they are in. */
    int await(int back) {
        int slot = (latest + SLOTS - back) % SLOTS;
        if (pending[slot]) {
            device.await(done[slot]);
            pending[slot] = false;
        }
        return slot;
    }

    KingfisherException readOnly() {
        return new KingfisherException("An output of a program on " + device.name()
                + " can only be read, by get, floats, doubles or read(MemorySegment); write to an input or to a tensor"
                + " that the program reads.");
    }

    /** The driver's functions that {@link #download} calls. */
    int calls() {
        return any ? 2 : 0;
    }
}
