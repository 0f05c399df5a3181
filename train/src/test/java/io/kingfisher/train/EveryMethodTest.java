package io.kingfisher.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.train.checkpoint.Safetensors;
import io.kingfisher.train.config.OptimizerSchema;
import io.kingfisher.train.config.OptionSchema;
import io.kingfisher.train.json.Json;
import io.kingfisher.train.methods.Method;
import io.kingfisher.train.methods.Methods;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every method that a configuration can name trains from one on the command line, and every parameter moves. */
class EveryMethodTest {
    /** Intervals and windows of the methods' own, so short that every cadence is met. */
    private static final List<String> INTERVALS = List.of("TCov", "TInv", "gradients");

    /** Of the usual learning rate: with so few samples a diagonal of the curvature without damping is now and then almost 0. */
    private static final double SHARE = 0.01;

    @TempDir
    static Path folder;

    private static Path before;

    @BeforeAll
    static void keepTheFirstWeights() throws IOException {
        before = train("SGD", "before", "--set=init_lr=1e-30");
    }

    static List<String> names() {
        return Methods.all().stream().map(Method::name).toList();
    }

    @ParameterizedTest
    @MethodSource("names")
    void trainsFromYaml(String name) throws IOException {
        Path after = train(name, name);
        try (Arena arena = Arena.ofConfined()) {
            Safetensors first = Safetensors.read(before, arena);
            Safetensors last = Safetensors.read(after, arena);
            for (String parameter : List.of("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias")) {
                var a = first.find(parameter).orElseThrow().data();
                assertTrue(a.mismatch(last.find(parameter).orElseThrow().data()) >= 0, parameter + " did not move");
            }
        }
        Map<String, Object> summary = Json.parseObject(Files.readString(folder.resolve(name + "/summary.json")));
        assertEquals(name, summary.get("optimizer"));
        double loss = Json.real(Json.object(summary.get("last")).get("test_loss"));
        assertTrue(loss < 2.6, name + ": a loss of " + loss);
    }

    /** The checkpoint that a run leaves. */
    private static Path train(String name, String output, String... more) throws IOException {
        Path config = folder.resolve("run.yaml"), out = folder.resolve(output);
        Files.writeString(config, yaml(name));
        List<String> args =
                new ArrayList<>(List.of("train", config.toString(), "--output", out.toString(), "--threads", "1"));
        args.addAll(List.of(more));
        CommandLineRun run = CommandLineRun.of(args.toArray(String[]::new));
        assertEquals(0, run.code(), run.text());
        return out.resolve("checkpoints/last.safetensors");
    }

    private static String yaml(String name) {
        OptimizerSchema schema = Methods.named(name).schema();
        OptionSchema options = schema.options();
        StringBuilder kwargs = new StringBuilder("weight_decay: 1e-4");
        INTERVALS.stream()
                .filter(options::knows)
                .forEach(key -> kwargs.append(", ").append(key).append(key.equals("TInv") ? ": 4" : ": 2"));
        return """
                dataset: glyphs
                train_size: 160
                test_size: 40
                network: mlp-small
                model: {hidden: [8]}
                optimizer: %s
                init_lr: %s
                optimizer_kwargs: {%s}
                max_epochs: 1
                mini_batch_size: 32
                device: cpu
                seed: 3
                """.formatted(name, SHARE * schema.learningRate(), kwargs);
    }
}
