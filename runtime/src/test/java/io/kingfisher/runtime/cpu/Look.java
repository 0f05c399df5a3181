package io.kingfisher.runtime.cpu;

import io.kingfisher.runtime.Device;
import io.kingfisher.runtime.DeviceOptions;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/** Prints what a program does and what each step costs: arguments are a network's name, threads and how often. */
final class Look {
    private Look() {}

    public static void main(String[] args) {
        int threads = Integer.parseInt(args[1]), times = Integer.parseInt(args[2]);
        try (Device cpu = Device.open("cpu", new DeviceOptions(threads))) {
            cpu.report().forEach(System.out::println);
            Net net = new Net(cpu);
            CpuProgram program = (CpuProgram)
                    switch (args[0]) {
                        case "lenet" -> net.lenet(64);
                        case "mlp" -> Net.mlp(cpu, 32);
                        case "conv" -> net.residual(16, 64, 32);
                        default -> net.residual(2, 8, 10);
                    };
            Net.feed(program, 10, 1);
            for (int i = 0; i < times; i++) {
                program.replay();
            }
            ((CpuDevice) cpu).kernels().settle();
            double[] all = new double[times];
            for (int i = 0; i < times; i++) {
                long start = System.nanoTime();
                program.replay();
                all[i] = (System.nanoTime() - start) / 1e6;
            }
            Arrays.sort(all);
            double[] steps = program.profile(times);
            String[] lines = program.describe().split("\n");
            IntStream.range(0, steps.length)
                    .boxed()
                    .sorted(Comparator.comparingDouble(i -> -steps[i]))
                    .limit(args.length > 3 ? Integer.parseInt(args[3]) : 40)
                    .forEach(i -> System.out.printf("%9.1f us  %s%n", steps[i], lines[i]));
            System.out.printf(
                    "%d steps, arena %d, native calls %d, replay p50 %.3f ms, min %.3f, steps sum %.3f ms%n",
                    steps.length,
                    program.arenaBytes(),
                    program.nativeCalls(),
                    all[times / 2],
                    all[0],
                    Arrays.stream(steps).sum() / 1e3);
        }
    }
}
