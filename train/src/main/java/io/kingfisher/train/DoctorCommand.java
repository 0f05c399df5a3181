package io.kingfisher.train;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code kingfisher doctor}: what there is to compute with, and what is missing. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        description = "Tells which devices and libraries were found, with paths and versions, and what is missing.")
final class DoctorCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        System.out.println("java      " + System.getProperty("java.vm.name") + " "
                + System.getProperty("java.vm.version") + " at " + System.getProperty("java.home"));
        System.out.println("system    " + System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                + System.getProperty("os.arch") + ", "
                + Runtime.getRuntime().availableProcessors() + " processors, up to "
                + (Runtime.getRuntime().maxMemory() >> 20) + " MiB of heap");
        boolean vector = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
        System.out.println(
                "vector    " + (vector ? "on" : "off: add --add-modules=jdk.incubator.vector to the java command"));
        System.out.println("threads   " + DeviceOptions.defaults().threads() + " by default (KINGFISHER_THREADS is "
                + (System.getenv("KINGFISHER_THREADS") == null ? "not set" : System.getenv("KINGFISHER_THREADS"))
                + ")");
        boolean good = true;
        for (String name : new String[] {"cpu", "reference"}) {
            try (Device device = Device.open(name)) {
                System.out.println(name);
                device.report().forEach(line -> System.out.println("          " + line));
            } catch (RuntimeException e) {
                System.out.println(name + "\n          cannot be opened: " + e.getMessage());
                good = false;
            }
        }
        System.out.println("cuda\n          not supported by this version");
        return good ? 0 : 1;
    }
}
