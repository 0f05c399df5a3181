package io.kingfisher.runtime.cuda;

import static org.junit.jupiter.api.Assertions.fail;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import io.kingfisher.runtime.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The driver calls that steps make, in files to be read: where everything lies, what is launched with which arguments, what
 * is captured, and what a replay does. {@code -Dkingfisher.golden=write} writes the files anew.
 */
public final class GoldenCalls {
    private final RecordingDriver driver = new RecordingDriver();
    private final CudaDevice device =
            new CudaDevice("cuda:0", driver, new RecordingLibraries(driver), driver, new DeviceOptions(1));
    private final List<String> text = new ArrayList<>();

    /** A CUDA device that computes nothing. */
    public Device device() {
        return device;
    }

    RecordingDriver driver() {
        return driver;
    }

    private void section(String title, List<String> lines) {
        text.add("== " + title);
        text.addAll(lines);
        text.add("");
    }

    /** What the driver has seen since the last section. */
    void section(String title) {
        section(title, driver.take());
    }

    /** Leaves out what the driver has seen since the last section. */
    void drop() {
        driver.take();
    }

    /** What a program consists of and what compiling it did. */
    public void compiled(String name, Program program) {
        section(name + ": steps", program.describe().lines().toList());
        section(name + ": memory", ((CudaProgram) program).memory());
        // What sets up tensors comes before the program's block, the last device memory before its pinned one.
        List<String> all = driver.take();
        int pinned = 0;
        while (pinned < all.size() && !all.get(pinned).matches("allocate h([2-9]|1\\d).*")) {
            pinned++;
        }
        int block = pinned;
        while (!all.get(block).startsWith("allocate d")) {
            block--;
        }
        section(
                name + ": tensors",
                all.subList(0, block).stream()
                        .filter(line -> line.startsWith("allocate d"))
                        .toList());
        section(name + ": compiling", all.subList(block, all.size()));
    }

    /** What the driver sees of a replay. */
    public void replay(String title, Program program, Runnable before) {
        before.run();
        program.replay();
        program.output("loss").item();
        section(title);
    }

    /** Compares all that was written with a file in the folder {@code golden} beside a test, and closes the device. */
    public void compare(Class<?> test, String name) throws IOException {
        Path folder = Path.of("src/test/resources", test.getPackageName().replace('.', '/'), "golden");
        String actual = String.join("\n", text).strip() + "\n";
        device.close();
        if ("write".equals(System.getProperty("kingfisher.golden"))) {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve(name), actual);
            return;
        }
        Path file = folder.resolve(name);
        String expected = Files.exists(file) ? Files.readString(file) : "";
        if (!expected.equals(actual)) {
            Path now = Files.writeString(Files.createTempFile("kingfisher-", "-" + name), actual);
            fail(difference(expected.lines().toList(), actual.lines().toList())
                    + "\nIf that is meant, run this test with -Dkingfisher.golden=write and read what changes in "
                    + file
                    + "; all of it is now in " + now);
        }
    }

    /** The first lines that differ, with what they should be. */
    private static String difference(List<String> expected, List<String> actual) {
        int i = 0;
        while (i < expected.size() && i < actual.size() && expected.get(i).equals(actual.get(i))) {
            i++;
        }
        StringBuilder result = new StringBuilder("The calls differ from line " + (i + 1) + " on:");
        for (int k = i; k < i + 4; k++) {
            result.append(k < expected.size() ? "\n- " + expected.get(k) : "");
        }
        for (int k = i; k < i + 4; k++) {
            result.append(k < actual.size() ? "\n+ " + actual.get(k) : "");
        }
        return result.toString();
    }
}
