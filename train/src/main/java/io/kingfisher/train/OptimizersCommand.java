package io.kingfisher.train;

import io.kingfisher.layers.Names;
import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.train.config.Option;
import io.kingfisher.train.json.Json;
import io.kingfisher.train.methods.Method;
import io.kingfisher.train.methods.Methods;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code kingfisher optimizers}: what a configuration can name, and what it costs. */
@Command(
        name = "optimizers",
        mixinStandardHelpOptions = true,
        description = {
            "Lists the optimizers with their papers, what a step costs beyond the gradient, what they keep, and their"
                    + " defaults; with a name, all keys of one.",
            "",
            "In costs and memory P is the number of parameters, o and i are the outputs and inputs of a layer."
        },
        footer = {"", "Examples:", "  kingfisher optimizers", "  kingfisher optimizers KFAC"})
final class OptimizersCommand implements Callable<Integer> {
    private static final String INDENT = "    ";

    @Parameters(paramLabel = "NAME", arity = "0..1", description = "One optimizer, with all its keys.")
    private String name;

    @picocli.CommandLine.Option(names = "--json", description = "Prints JSON.")
    private boolean json;

    @Override
    public Integer call() {
        List<Method> methods = name == null ? Methods.all() : List.of(named(name));
        if (json) {
            Object shown = methods.stream().map(OptimizersCommand::map).toList();
            System.out.print(Json.writePretty(shown));
        } else if (name == null) {
            methods.forEach(method -> print(method, defaults(method)));
            System.out.println(methods.size() + " optimizers; kingfisher optimizers NAME explains the keys of one.");
        } else {
            Method method = methods.getFirst();
            print(method, "init_lr " + text(method.schema().learningRate()));
            System.out.println("Keys of optimizer_kwargs:");
            System.out.print(method.schema().options().help());
        }
        return 0;
    }

    private static Method named(String name) {
        return Methods.all().stream()
                .filter(method -> method.name().equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() -> new KingfisherException("There is no optimizer '" + name + "'"
                        + Names.hint(
                                name, Methods.all().stream().map(Method::name).toList())));
    }

    private static void print(Method method, String defaults) {
        Method.Facts facts = method.facts();
        System.out.println(method.name() + ": " + facts.title());
        System.out.println(INDENT + "paper     " + facts.paper());
        System.out.println(INDENT + "cost      " + facts.cost());
        System.out.println(INDENT + "memory    " + facts.memory());
        System.out.println(INDENT + "defaults  " + defaults);
        System.out.println();
    }

    private static String defaults(Method method) {
        String keys = options(method).stream()
                .filter(option -> option.fallback().isPresent())
                .map(option -> option.name() + " " + text(option.fallback().get()))
                .collect(Collectors.joining(", "));
        return "init_lr " + text(method.schema().learningRate()) + (keys.isEmpty() ? "" : ", " + keys);
    }

    /** Those that have an effect. */
    private static List<Option> options(Method method) {
        return method.schema().options().options().stream()
                .filter(option -> option.kind() != Option.Kind.IGNORED)
                .toList();
    }

    private static String text(Object value) {
        return value instanceof Double number && number == Math.rint(number) && Math.abs(number) < 1e15
                ? String.valueOf(number.longValue())
                : String.valueOf(value);
    }

    private static Map<String, Object> map(Method method) {
        var map = new LinkedHashMap<String, Object>();
        map.put("name", method.name());
        map.put("title", method.facts().title());
        map.put("paper", method.facts().paper());
        map.put("cost", method.facts().cost());
        map.put("memory", method.facts().memory());
        map.put("init_lr", method.schema().learningRate());
        map.put("keys", options(method).stream().map(OptimizersCommand::map).toList());
        return map;
    }

    private static Map<String, Object> map(Option option) {
        var map = new LinkedHashMap<String, Object>();
        map.put("name", option.name());
        option.fallback().ifPresent(value -> map.put("default", value));
        map.put("expected", option.type().expected());
        map.put("help", option.help());
        return map;
    }
}
