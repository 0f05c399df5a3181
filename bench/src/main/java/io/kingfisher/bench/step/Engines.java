package io.kingfisher.bench.step;

import io.kingfisher.bench.step.StepEngine.Refresh;
import io.kingfisher.bench.step.StepEngine.Rule;
import io.kingfisher.bench.step.TorchEngine.Layout;
import io.kingfisher.bench.step.TorchEngine.Setting;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.train.workload.Workload;
import java.util.List;
import java.util.Set;

/**
 * The engines by name: {@code kingfisher}, or {@code libtorch} with any of {@code +mkl} (products on MKL rather than on
 * OpenBLAS), {@code +channels-last} (images as N H W C) and {@code +fused} (one operator updates all parameters).
 */
public final class Engines {
    public static final String OURS = "kingfisher", LIBTORCH = "libtorch";

    private static final Set<String> VARIANTS = Set.of("mkl", "channels-last", "fused");

    private Engines() {}

    /**
     * Whether an engine is ours.
     *
     * @throws KingfisherException where there is none of this name
     */
    public static boolean ours(String name) {
        if (name.equals(OURS)) {
            return true;
        }
        setting(name);
        return false;
    }

    private static Setting setting(String name) {
        List<String> parts = List.of(name.split("\\+"));
        List<String> variants = parts.subList(1, parts.size());
        if (!parts.get(0).equals(LIBTORCH) || !VARIANTS.containsAll(variants)) {
            throw new KingfisherException("There is no engine '" + name
                    + "'; choose kingfisher, or libtorch with any of +mkl, +channels-last and +fused.");
        }
        Layout layout = variants.contains("channels-last") ? Layout.CHANNELS_LAST : Layout.NCHW;
        return new Setting(layout, variants.contains("mkl"), variants.contains("fused"));
    }

    /** Opens an engine on a workload, ready for its first step. */
    public static StepEngine open(String name, Workload workload, Rule rule, Refresh refresh, int threads) {
        return ours(name)
                ? new KingfisherEngine(workload, rule, refresh, threads)
                : new TorchEngine(workload, rule, refresh, threads, setting(name));
    }
}
