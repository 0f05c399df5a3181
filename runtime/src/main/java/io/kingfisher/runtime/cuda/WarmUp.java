package io.kingfisher.runtime.cuda;

import io.kingfisher.runtime.Tensor;
import io.kingfisher.runtime.cuda.driver.Driver;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One plain run before the capture, each step waited for: libraries set up what they make on first use, and an error is
 * found where it happens. Inputs are zeros, and tensors that the program changes get their values back.
 */
final class WarmUp {
    private final CudaDevice device;
    private final StepRunner runner;
    private final Ports ports;
    private final Collection<Tensor> assigned;

    WarmUp(CudaDevice device, StepRunner runner, Ports ports, Collection<Tensor> assigned) {
        this.device = device;
        this.runner = runner;
        this.ports = ports;
        this.assigned = assigned;
    }

    void run() {
        Driver driver = device.driver();
        if (ports.inputBytes() > 0) {
            driver.fill(ports.inputAddress(), (byte) 0, ports.inputBytes(), device.stream());
        }
        Map<Tensor, Long> saved = new LinkedHashMap<>();
        try {
            for (Tensor tensor : assigned) {
                if (tensor.bytes() > 0) {
                    long copy = device.allocate(
                            tensor.bytes(), () -> "a copy, while the program is compiled, of the tensor " + tensor);
                    saved.put(tensor, copy);
                    driver.copy(copy, tensor.address(), tensor.bytes(), device.stream());
                }
            }
            try {
                for (int i = 0; i < runner.size(); i++) {
                    runner.runAndWait(i);
                }
            } finally {
                saved.forEach((tensor, copy) -> driver.copy(tensor.address(), copy, tensor.bytes(), device.stream()));
                driver.synchronize(device.stream());
            }
        } finally {
            saved.values().forEach(driver::free);
        }
    }
}
