package io.kingfisher.train;

import io.kingfisher.nativebindings.Libraries;
import io.kingfisher.nativebindings.LibraryReport;
import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code kingfisher doctor}: what there is to compute with, and what is missing. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        description = {
            "Tells which devices and libraries were found, with paths and versions, what was rejected and why, and what to"
                    + " do about what is missing.",
            "Exits with 1 where there is neither a processor's nor a GPU's device to train on."
        })
final class DoctorCommand implements Callable<Integer> {
    private static final String INDENT = "          ";

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
        System.out.println("cache     " + Libraries.cacheFolder());
        boolean cpu = opens("cpu");
        opens("reference");
        boolean gpu = opens("cuda:0");
        Libraries.cudaReport().forEach(DoctorCommand::print);
        System.out.println("training  " + (gpu ? "on cuda:0" : cpu ? "on cpu" : "on no device: see above"));
        return cpu || gpu ? 0 : 1;
    }

    private static boolean opens(String name) {
        System.out.println(name);
        try (Device device = Device.open(name)) {
            device.report().forEach(line -> System.out.println(INDENT + line));
            return true;
        } catch (RuntimeException e) {
            System.out.println(INDENT + "cannot be opened: " + e.getMessage());
            return false;
        }
    }

    /** A library of NVIDIA's: what was found, or what to do; and what was passed over, for those who wonder. */
    private static void print(LibraryReport report) {
        System.out.println(INDENT + report);
        report.rejected().forEach(reason -> System.out.println(INDENT + "  not " + reason));
    }
}
