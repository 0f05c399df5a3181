package io.kingfisher.train.checkpoint;

import io.kingfisher.runtime.KingfisherException;
import io.kingfisher.train.json.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The JSON header of a safetensors file, checked in full before any of its sizes is believed: the tensors must fill the
 * data part exactly, without gaps and overlaps, each with as many bytes as its shape and dtype make.
 *
 * @param metadata the free text entries of {@code __metadata__}
 * @param entries the tensors in the order of their bytes
 */
record SafetensorsHeader(Map<String, String> metadata, List<Entry> entries) {
    private static final String METADATA = "__metadata__";

    /** One tensor: its bytes lie at [begin, end) of the data part. */
    record Entry(String name, String dtype, List<Long> shape, long begin, long end) {}

    /**
     * @param json the header's bytes
     * @param dataStart where the data part begins in the file, for messages
     * @param dataBytes how many bytes follow the header
     */
    static SafetensorsHeader parse(Path path, byte[] json, long dataStart, long dataBytes) {
        Map<String, Object> root;
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(json))
                    .toString();
            if (!text.startsWith("{")) {
                throw new IOException("it does not begin with '{'");
            }
            root = Json.parseObject(text);
        } catch (CharacterCodingException e) {
            throw damaged(path, "its header (at offset 8) is not UTF-8 text", e);
        } catch (IOException e) {
            throw damaged(path, "its header (at offset 8) is not valid: " + firstLine(e), e);
        }
        Map<String, String> metadata = metadata(path, root.remove(METADATA));
        var entries = new ArrayList<Entry>();
        root.forEach((name, value) -> entries.add(entry(path, name, value)));
        entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        checkCover(path, entries, dataStart, dataBytes);
        return new SafetensorsHeader(metadata, entries);
    }

    private static Map<String, String> metadata(Path path, Object value) {
        var metadata = new LinkedHashMap<String, String>();
        if (value == null) {
            return metadata;
        }
        if (!(value instanceof Map<?, ?> map)) {
            throw damaged(path, METADATA + " is not an object of texts", null);
        }
        map.forEach((key, item) -> {
            if (!(item instanceof String text)) {
                throw damaged(path, METADATA + "." + key + " is not a text", null);
            }
            metadata.put((String) key, text);
        });
        return metadata;
    }

    private static Entry entry(Path path, String name, Object value) {
        if (!(value instanceof Map<?, ?> map)
                || map.size() != 3
                || !(map.get("dtype") instanceof String dtype)
                || !(map.get("shape") instanceof List<?> sizes)
                || !(map.get("data_offsets") instanceof List<?> offsets)
                || offsets.size() != 2
                || !(offsets.get(0) instanceof Long begin)
                || !(offsets.get(1) instanceof Long end)) {
            throw damaged(
                    path, "tensor '" + name + "' has not exactly the entries dtype, shape and data_offsets", null);
        }
        var shape = new ArrayList<Long>();
        for (Object size : sizes) {
            if (!(size instanceof Long whole)) {
                throw damaged(path, "tensor '" + name + "' has the shape " + sizes, null);
            }
            shape.add(whole);
        }
        long bytes;
        try {
            bytes = Dtypes.byteSize(dtype, shape);
        } catch (IllegalArgumentException e) {
            throw damaged(path, "tensor '" + name + "': " + e.getMessage(), e);
        }
        if (begin < 0 || end < begin || end - begin != bytes) {
            throw damaged(
                    path,
                    "tensor '" + name + "' " + dtype + shape + " needs " + bytes + " bytes but its data_offsets are ["
                            + begin + ", " + end + "]",
                    null);
        }
        return new Entry(name, dtype, List.copyOf(shape), begin, end);
    }

    private static void checkCover(Path path, List<Entry> entries, long dataStart, long dataBytes) {
        long reached = 0;
        String before = "the header";
        for (Entry entry : entries) {
            if (entry.end() > dataBytes) {
                throw damaged(
                        path,
                        "it is cut short: tensor '" + entry.name() + "' should end at offset "
                                + Math.addExact(dataStart, Math.min(entry.end(), Long.MAX_VALUE - dataStart))
                                + " and the file has " + (dataStart + dataBytes) + " bytes",
                        null);
            }
            if (entry.begin() != reached) {
                String what = entry.begin() < reached ? "overlaps " : "leaves a gap after ";
                throw damaged(
                        path,
                        "tensor '" + entry.name() + "' at offset " + (dataStart + entry.begin()) + " " + what + before,
                        null);
            }
            reached = entry.end();
            before = "tensor '" + entry.name() + "'";
        }
        if (reached != dataBytes) {
            throw damaged(
                    path,
                    (dataBytes - reached) + " bytes at offset " + (dataStart + reached) + " belong to no tensor",
                    null);
        }
    }

    /** The header of a file with these tensors one after the other, padded with spaces to a multiple of 8 bytes. */
    static byte[] write(Map<String, String> metadata, List<SafeTensor> tensors) {
        var root = new LinkedHashMap<String, Object>();
        if (!metadata.isEmpty()) {
            root.put(METADATA, metadata);
        }
        long offset = 0;
        for (SafeTensor tensor : tensors) {
            var entry = new LinkedHashMap<String, Object>();
            entry.put("dtype", tensor.dtype());
            entry.put("shape", tensor.shape());
            entry.put("data_offsets", List.of(offset, offset + tensor.data().byteSize()));
            if (tensor.name().equals(METADATA) || root.put(tensor.name(), entry) != null) {
                throw new IllegalArgumentException("two tensors are named '" + tensor.name() + "'");
            }
            offset += tensor.data().byteSize();
        }
        String json = Json.write(root);
        int bytes = json.getBytes(StandardCharsets.UTF_8).length;
        return (json + " ".repeat((8 - bytes % 8) % 8)).getBytes(StandardCharsets.UTF_8);
    }

    static KingfisherException damaged(Path path, String what, Throwable cause) {
        return new KingfisherException(
                path + ": not a whole safetensors file: " + what + "; use another copy of it.", cause);
    }

    private static String firstLine(Throwable e) {
        String message = String.valueOf(e.getMessage());
        int end = message.indexOf('\n');
        return end < 0 ? message : message.substring(0, end);
    }
}
