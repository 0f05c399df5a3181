package io.kingfisher.runtime.cuda.math;

import io.kingfisher.nativebindings.NativeHandle;
import io.kingfisher.runtime.DType;
import io.kingfisher.runtime.Shape;
import io.kingfisher.runtime.cuda.kernels.EmulatedDriver;
import io.kingfisher.runtime.cuda.kernels.KernelEmulator;
import io.kingfisher.runtime.cuda.math.MathLibraries.Conv;
import io.kingfisher.runtime.cuda.math.MathLibraries.Factorization;
import io.kingfisher.runtime.cuda.math.MathLibraries.Pass;
import io.kingfisher.runtime.cuda.math.MathLibraries.Precision;
import io.kingfisher.runtime.graph.Convolution;
import io.kingfisher.runtime.graph.LinearAlgebra;
import java.nio.file.Path;
import java.util.List;

/** Calls, by way of the real bindings, the libraries that the system properties name. A process of its own: they stay loaded. */
public final class NativeLibrariesProbe {
    private NativeLibrariesProbe() {}

    /** @param args a folder for what is measured */
    public static void main(String[] args) {
        try (KernelEmulator emulator = KernelEmulator.open();
                EmulatedDriver driver = new EmulatedDriver(emulator)) {
            long stream = driver.createStream();
            HostCall.Memory memory = new HostCall.Memory() {
                @Override
                public long allocate(long bytes) {
                    return driver.allocate(bytes);
                }

                @Override
                public void free(long address) {
                    driver.free(address);
                }

                @Override
                public long stream() {
                    return stream;
                }
            };
            for (int process = 0; process < 2; process++) {
                try (CudaMathLibraries libraries = CudaMathLibraries.open(driver, driver, Path.of(args[0]))) {
                    libraries.prepare(stream);
                    run(libraries, memory);
                    libraries.report().forEach(System.out::println);
                }
                say(driver.liveAllocations() == 0, "all device memory is freed");
            }
            say(NativeHandle.live() == 0, NativeHandle.live() + " handles are open");
        }
        System.out.println("done");
    }

    private static void run(CudaMathLibraries libraries, HostCall.Memory memory) {
        MathSuite suite = new MathSuite(libraries, memory);
        suite.products(DType.F32, Precision.FP32);
        suite.products(DType.F64, Precision.FP32);
        suite.selfProducts(DType.F32);
        suite.selfProducts(DType.F64);
        for (DType t : List.of(DType.F32, DType.F64)) {
            new FactorizationSuite(libraries, t, memory).choleskyAndSolves();
            for (LinearAlgebra op :
                    List.of(new LinearAlgebra.Eigh(), new LinearAlgebra.Qr(), new LinearAlgebra.Svd())) {
                for (Shape shape : List.of(Shape.of(4, 4), Shape.of(3, 4, 4))) {
                    try (HostCall host = new HostCall(memory)) {
                        host.operand(t, new double[(int) shape.elements()]);
                        for (int i = 0; i < (op instanceof LinearAlgebra.Svd ? 4 : 3); i++) {
                            host.result(shape.elements() * 8);
                        }
                        host.run(libraries.factorization(new Factorization(op, t, List.of(shape))));
                    }
                }
            }
        }
        for (boolean last : new boolean[] {false, true}) {
            for (int groups : new int[] {1, 2}) {
                Convolution window = new Convolution(2, 1, 1, 0, 1, 2, groups);
                Conv conv = new Conv(
                        Pass.FORWARD,
                        DType.F32,
                        Precision.FP32,
                        window,
                        Shape.of(2, 4, 7, 8),
                        Shape.of(6, 4 / groups, 3, 2),
                        last,
                        groups == 2);
                suite.convolution(conv);
                try (Call call = libraries.convolution(conv)) {
                    say(call.what().contains("A:2:engine 9"), call.what());
                }
            }
        }
    }

    private static void say(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }
}
