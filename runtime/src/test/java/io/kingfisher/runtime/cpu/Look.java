package io.kingfisher.runtime.cpu;

import io.kingfisher.runtime.Device;

/** Prints what a program does. */
final class Look {
    private Look() {}

    public static void main(String[] args) {
        try (Device cpu = Device.open("cpu")) {
            cpu.report().forEach(System.out::println);
            var program = switch (args[0]) {
                case "lenet" -> new Net(cpu).lenet(64);
                case "mlp" -> Net.mlp(cpu, 32);
                case "conv" -> new Net(cpu).residual(16, 64, 32);
                default -> new Net(cpu).residual(2, 8, 10);
            };
            System.out.println(program.describe());
            System.out.println("arena " + program.arenaBytes() + ", native calls " + program.nativeCalls());
        }
    }
}
