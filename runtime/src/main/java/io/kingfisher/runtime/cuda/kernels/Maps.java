package io.kingfisher.runtime.cuda.kernels;

import io.kingfisher.runtime.cuda.kernels.KernelEngine.Elementwise;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Argument;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.Entry;
import io.kingfisher.runtime.cuda.kernels.KernelLaunch.KernelCode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Launches of elementwise kernels, one by one or many at once. */
final class Maps {
    private static final int BLOCK = 256;

    /** The turns of a block that computes a part of one of many maps. */
    private static final int TURNS = 4;

    private final Sources sources;

    Maps(Sources sources) {
        this.sources = sources;
    }

    /** What generated kernels begin with. */
    static String prelude(Sources sources, String body, boolean wide) {
        StringBuilder text = new StringBuilder(sources.texts("numbers.cuh", "loads.cuh"));
        if (body.contains("quotient(")) {
            text.append(sources.text("indices.cuh")).append('\n');
        }
        for (String function : List.of("number(", "maximum(", "minimum(", "sign(", "sigmoid(", "softplus(", "power(")) {
            if (body.contains(function)) {
                text.append(sources.text("functions.cuh")).append('\n');
                break;
            }
        }
        if (!text.toString().contains("root(") && body.contains("root(")) {
            text.append(sources.text("functions.cuh")).append('\n');
        }
        return text + "typedef " + (wide ? "long long" : "unsigned") + " Index;\n\n";
    }

    KernelPlan one(Elementwise map) {
        MapWriter writer = new MapWriter(sources, map.results(), map.inputs(), map.outputs());
        if (writer.empty()) {
            return KernelPlan.of();
        }
        String name = MapWriter.name("map", map.results());
        String text = prelude(sources, writer.bodyText(), writer.wide())
                + "extern \"C\" __global__ void __launch_bounds__(256) " + name + "("
                + writer.parameters().declarations() + ") {\n    const Index place = " + writer.elementsPerThread()
                + " * ((Index) blockIdx.x * blockDim.x + threadIdx.x);\n" + writer.bodyText() + "}\n";
        long threads = ceil(writer.elements(), writer.elementsPerThread());
        int block = (int) Math.min(BLOCK, 32 * ceil(threads, 32));
        return KernelPlan.of(new KernelLaunch(
                new KernelCode(name, text),
                name,
                Math.toIntExact(ceil(threads, block)),
                1,
                1,
                block,
                0,
                writer.parameters().arguments()));
    }

    static long ceil(long a, long b) {
        return (a + b - 1) / b;
    }

    /** A launch whose blocks find in a table which map they compute a part of, and in that map's row its parameters. */
    KernelPlan together(List<Elementwise> maps) {
        List<MapWriter> writers = new ArrayList<>();
        List<Integer> operands = new ArrayList<>();
        int operand = 0;
        boolean wide = false;
        for (Elementwise map : maps) {
            MapWriter writer = new MapWriter(sources, map.results(), map.inputs(), map.outputs());
            if (!writer.empty()) {
                writers.add(writer);
                operands.add(operand);
                wide |= writer.wide();
            }
            operand += writer.operands();
        }
        if (writers.isEmpty()) {
            return KernelPlan.of();
        }
        if (wide) {
            // Rare: maps of which one has too many elements for indices of 32 bits.
            return separately(maps);
        }
        Map<String, Integer> kinds = new HashMap<>();
        StringBuilder functions = new StringBuilder(), cases = new StringBuilder();
        List<Integer> kind = new ArrayList<>();
        for (MapWriter writer : writers) {
            String body = "(const long long* row, Index block) {\n"
                    + writer.parameters().fromRow("    ")
                    + "    for (int turn = 0; turn < " + TURNS + "; turn++) {\n"
                    + "    const Index place = " + writer.elementsPerThread() + " * ((block * " + TURNS
                    + " + turn) * blockDim.x + threadIdx.x);\n" + writer.bodyText() + "    }\n}\n";
            kind.add(kinds.computeIfAbsent(body, text -> {
                int number = kinds.size();
                functions.append("__device__ __forceinline__ void kind" + number + text + "\n");
                cases.append("    case " + number + ": kind" + number + "(row, (Index) entry); break;\n");
                return number;
            }));
        }
        String name = MapWriter.name("maps", maps.get(0).results());
        String text = prelude(sources, functions.toString(), false) + functions
                + "extern \"C\" __global__ void __launch_bounds__(256) " + name + "(const long long* table) {\n"
                + "    // A block's entry: where its map's row is, and the block's number among those of the map.\n"
                + "    const long long entry = table[blockIdx.x];\n"
                + "    const long long* row = table + (entry >> 32);\n"
                + "    switch ((int) row[0]) {\n" + cases + "    }\n}\n";
        List<Entry> table = table(writers, operands, kind);
        int blocks = blocks(writers);
        return KernelPlan.of(new KernelLaunch(
                new KernelCode(name, text), name, blocks, 1, 1, BLOCK, 0, List.of(new Argument.Table(table))));
    }

    private static int blocks(MapWriter writer) {
        return Math.toIntExact(ceil(writer.elements(), (long) writer.elementsPerThread() * BLOCK * TURNS));
    }

    private static int blocks(List<MapWriter> writers) {
        return writers.stream().mapToInt(Maps::blocks).reduce(0, Math::addExact);
    }

    private static List<Entry> table(List<MapWriter> writers, List<Integer> operands, List<Integer> kinds) {
        List<Entry> blocks = new ArrayList<>(), rows = new ArrayList<>();
        int before = blocks(writers);
        for (int m = 0; m < writers.size(); m++) {
            long row = before + rows.size();
            for (int block = 0; block < blocks(writers.get(m)); block++) {
                blocks.add(new Entry.Number(row << 32 | block));
            }
            rows.add(new Entry.Number(kinds.get(m)));
            rows.addAll(writers.get(m).parameters().entries(operands.get(m)));
        }
        blocks.addAll(rows);
        return blocks;
    }

    private KernelPlan separately(List<Elementwise> maps) {
        List<KernelLaunch> launches = new ArrayList<>();
        int operand = 0;
        for (Elementwise map : maps) {
            for (KernelLaunch launch : one(map).launches()) {
                int first = operand;
                launches.add(launch.withOperands(index -> new Argument.Operand(first + index)));
            }
            operand += map.inputs().size() + map.outputs().size();
        }
        return new KernelPlan(launches, List.of(), List.of());
    }
}
