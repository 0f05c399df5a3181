package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.cuda.driver.Driver;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The inputs of a program on their way: from one of two pinned copies, which the host fills in turn, to one of two stages on
 * the device, on the stream of uploads; then, on the stream of the replays, from the stage to where the steps read them.
 *
 * <p>An upload waits until the replay that last took its stage's contents has done so, a replay for the upload of its inputs,
 * and the host, before it fills a pinned copy, for the upload of what was in it. So an upload takes place while the replay
 * before is computed, and neither of them changes what the other reads.
 */
final class Inputs {
    private final Driver driver;
    private final long stream, uploads;
    private final long address;
    private final long[] stages = new long[2];
    /** All inputs of each pinned copy. */
    private final MemorySegment[] whole = new MemorySegment[2];
    /** Those with any bytes. */
    private final InputMemory[] inputs;
    /** After the upload to each stage. */
    private final long[] uploaded = new long[2];
    /** After the replay has taken what is in each stage. */
    private final long[] taken = new long[2];

    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private int stage;

    /**
     * @param pinned zeros, twice as many bytes as the inputs take
     */
    Inputs(CudaDevice device, Resources resources, Ports ports, MemorySegment pinned) {
        this.driver = device.driver();
        this.stream = device.stream();
        this.uploads = device.uploadStream();
        this.address = ports.inputAddress();
        for (int i = 0; i < 2; i++) {
            stages[i] = ports.stageAddress(i);
            whole[i] = pinned.asSlice(i * ports.inputBytes(), ports.inputBytes());
            uploaded[i] = resources.event(driver);
            taken[i] = resources.event(driver);
        }
        List<InputMemory> all = new ArrayList<>();
        for (Ports.Port port : ports.inputs()) {
            long bytes = port.type().bytes();
            var memory = new InputMemory(
                    device,
                    address,
                    port.offset(),
                    whole[0].asSlice(port.offset(), bytes),
                    whole[1].asSlice(port.offset(), bytes));
            tensors.put(
                    port.name(), device.tensor(port.type().dtype(), port.type().shape(), memory));
            if (bytes > 0) {
                all.add(memory);
            }
        }
        inputs = all.toArray(InputMemory[]::new);
    }

    Map<String, Tensor> tensors() {
        return tensors;
    }

    /** Brings what was touched since the last time to where the steps read it. Allocates nothing. */
    void upload() {
        int touched = 0, copy = 0;
        boolean together = true;
        for (InputMemory input : inputs) {
            if (input.touched()) {
                together &= touched == 0 || input.latest() == copy;
                copy = input.latest();
                touched++;
            }
        }
        if (touched == 0) {
            return;
        }
        together &= touched == inputs.length;
        long to = stages[stage];
        driver.await(uploads, taken[stage]);
        if (together) {
            driver.upload(to, whole[copy], uploads);
        } else {
            for (InputMemory input : inputs) {
                if (input.touched()) {
                    driver.upload(to + input.offset(), input.pinned(), uploads);
                }
            }
        }
        driver.record(uploaded[stage], uploads);
        driver.await(stream, uploaded[stage]);
        if (together) {
            driver.copy(address, to, whole[copy].byteSize(), stream);
        }
        for (InputMemory input : inputs) {
            if (input.touched()) {
                if (!together) {
                    driver.copy(
                            input.address(), to + input.offset(), input.pinned().byteSize(), stream);
                }
                input.uploaded(uploaded[stage]);
            }
        }
        driver.record(taken[stage], stream);
        stage = 1 - stage;
    }

    /** The driver's functions that {@link #upload} calls where all inputs were touched. */
    int calls() {
        return inputs.length == 0 ? 0 : 6;
    }
}
