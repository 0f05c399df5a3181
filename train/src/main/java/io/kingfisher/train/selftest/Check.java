package io.kingfisher.train.selftest;

import io.kingfisher.layers.Precision;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import java.util.function.Function;

/**
 * One thing that must hold on a device.
 *
 * @param name what is checked, in a few words
 * @param gpuOnly whether it says nothing about a device without CUDA graphs
 * @param body does it and says what was found; what it throws is a failure
 */
record Check(String name, boolean gpuOnly, Function<Target, Finding> body) {
    /** Which device is checked, and how it is opened. */
    record Target(String device, DeviceOptions options) {
        boolean gpu() {
            return device.startsWith("cuda");
        }

        Device open() {
            return Device.open(device, options);
        }

        /** To compare bits: with libraries that give the same ones every time. */
        Device open(DeviceOptions.Execution execution) {
            return Device.open(device, options.withExecution(execution).withDeterministic(true));
        }

        Device open(Precision precision) {
            return Device.open(device, options.withTf32(precision == Precision.TF32));
        }
    }

    /**
     * @param detail figures where it passed, what is wrong where it did not
     */
    record Finding(boolean passed, String detail) {
        static Finding passed(String detail) {
            return new Finding(true, detail);
        }

        static Finding failed(String detail) {
            return new Finding(false, detail);
        }
    }
}
