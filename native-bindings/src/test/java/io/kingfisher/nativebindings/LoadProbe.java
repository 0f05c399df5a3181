package io.kingfisher.nativebindings;

import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** The program of a forked JVM: loads both libraries, from several threads at once if told so, and prints what it did. */
public final class LoadProbe {
    private LoadProbe() {}

    public static void main(String[] arguments) throws Exception {
        int threads = arguments.length == 0 ? 1 : Integer.parseInt(arguments[0]);
        var poolSize = Integer.getInteger("probe.threads");
        if (poolSize != null) {
            NativeThreads.setDefault(poolSize);
        }
        try (var pool = Executors.newFixedThreadPool(threads)) {
            var results = new ArrayList<Future<String>>();
            for (int i = 0; i < threads; i++) {
                Callable<String> load = () -> {
                    try {
                        return "loaded " + Libraries.dnnl() + " and " + Libraries.openblas();
                    } catch (NativeLibraryException e) {
                        return "refused: " + e.getMessage();
                    }
                };
                results.add(pool.submit(load));
            }
            for (var result : results) {
                System.out.println(result.get());
            }
        }
        for (var library : Libraries.loaded()) {
            System.out.println(library.name() + " rejected " + library.rejected());
            System.out.println(library.name() + " dependencies " + library.dependencies());
            System.out.println(library.name() + " details " + library.details());
        }
        if (poolSize != null) {
            System.out.println("threads " + NativeThreads.openMp() + " and " + NativeThreads.openBlas());
        }
    }
}
