package io.kingfisher.train.config;

import io.kingfisher.runtime.KingfisherException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.DocumentEndEvent;
import org.snakeyaml.engine.v2.events.DocumentStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.MappingEndEvent;
import org.snakeyaml.engine.v2.events.MappingStartEvent;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.events.SequenceEndEvent;
import org.snakeyaml.engine.v2.events.SequenceStartEvent;
import org.snakeyaml.engine.v2.events.StreamEndEvent;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.parser.ParserImpl;
import org.snakeyaml.engine.v2.scanner.StreamReader;

/**
 * Turns YAML text into {@link YamlNode}s. It reads parser events rather than constructed objects: every value keeps its
 * line, nothing is instantiated by tag, and anchors (the way to make a small file grow without bound) are refused.
 */
final class YamlReader {
    /** Far more than any configuration needs; a data file given by mistake is refused before it is read. */
    static final int MAX_BYTES = 1 << 20;

    private static final int MAX_DEPTH = 32;

    private final String origin;
    private final boolean lines;
    private final Iterator<Event> events;
    private int lastLine = 1;

    private YamlReader(String text, String origin, boolean lines) {
        this.origin = origin;
        this.lines = lines;
        var settings = LoadSettings.builder()
                .setLabel(origin)
                .setCodePointLimit(MAX_BYTES)
                .build();
        this.events = new ParserImpl(settings, new StreamReader(settings, text));
    }

    /** Reads a file that must hold one map. */
    static YamlNode.Mapping readFile(Path file) {
        return readMapping(readText(file), file.toString());
    }

    /** Reads text that must hold one map; {@code origin} stands for the file's name in messages. */
    static YamlNode.Mapping readMapping(String text, String origin) {
        return switch (read(text, origin, true)) {
            case YamlNode.Mapping mapping -> mapping;
            case YamlNode other ->
                throw new KingfisherException(other.location()
                        + ": expected 'key: value' lines at the top level, found " + other.found() + ".");
        };
    }

    /** Reads the value part of a command-line override. */
    static YamlNode readValue(String text, String origin) {
        if (text.isBlank()) {
            return new YamlNode.Scalar("", true, new Location(origin, 0));
        }
        return read(text, origin, false);
    }

    private static YamlNode read(String text, String origin, boolean lines) {
        var reader = new YamlReader(text, origin, lines);
        try {
            return reader.readDocument();
        } catch (MarkedYamlEngineException e) {
            int line = e.getProblemMark().map(mark -> mark.getLine() + 1).orElse(reader.lastLine);
            throw new KingfisherException(
                    new Location(origin, lines ? line : 0) + ": not valid YAML: " + oneLine(e.getProblem())
                            + "; check the indentation, quotes and brackets around this line.",
                    e);
        } catch (ReaderException e) {
            long line = text.codePoints()
                            .limit(e.getPosition())
                            .filter(c -> c == '\n')
                            .count()
                    + 1;
            throw new KingfisherException(
                    new Location(origin, lines ? (int) line : 0)
                            + ": the character U+%04X cannot stand in YAML; remove it.".formatted(e.getCodePoint()),
                    e);
        } catch (YamlEngineException e) {
            throw new KingfisherException(origin + ": not valid YAML: " + oneLine(e.getMessage()) + ".", e);
        }
    }

    private static String readText(Path file) {
        byte[] bytes;
        try (var in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MAX_BYTES + 1);
        } catch (IOException e) {
            String why = Files.isDirectory(file)
                    ? "it is a folder"
                    : Files.exists(file) ? e.toString() : "there is no such file";
            throw new KingfisherException(
                    file + ": the configuration cannot be read: " + why + "; give the path of a YAML file.", e);
        }
        if (bytes.length > MAX_BYTES) {
            throw new KingfisherException(file + ": larger than " + MAX_BYTES
                    + " bytes, which no configuration is; give the path of a YAML file.");
        }
        var decoder = StandardCharsets.UTF_8.newDecoder();
        var buffer = ByteBuffer.wrap(bytes);
        try {
            String text = decoder.decode(buffer).toString();
            return text.startsWith("\uFEFF") ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            int line = 1;
            for (int i = 0; i < buffer.position(); i++) {
                line += bytes[i] == '\n' ? 1 : 0;
            }
            throw new KingfisherException(
                    file + ":" + line + ": not UTF-8 text (byte " + buffer.position() + "); save the file as UTF-8.",
                    e);
        }
    }

    private YamlNode readDocument() {
        next(); // stream start
        if (next() instanceof StreamEndEvent) {
            throw new KingfisherException(origin + ": empty; a run needs at least the keys 'dataset' and 'network'.");
        }
        YamlNode root = node(next(), 0);
        for (Event event = next(); !(event instanceof StreamEndEvent); event = next()) {
            if (event instanceof DocumentStartEvent) {
                throw new KingfisherException(
                        location(event) + ": a second document ('---') starts here; keep one run per file.");
            }
            assert event instanceof DocumentEndEvent;
        }
        return root;
    }

    private YamlNode node(Event event, int depth) {
        if (depth > MAX_DEPTH) {
            throw new KingfisherException(location(event) + ": nested more than " + MAX_DEPTH + " levels deep.");
        }
        refuseAnchorsAndTags(event);
        return switch (event) {
            case ScalarEvent scalar -> new YamlNode.Scalar(scalar.getValue(), scalar.isPlain(), location(scalar));
            case SequenceStartEvent start -> {
                var items = new ArrayList<YamlNode>();
                for (Event item = next(); !(item instanceof SequenceEndEvent); item = next()) {
                    items.add(node(item, depth + 1));
                }
                yield new YamlNode.Sequence(items, location(start));
            }
            case MappingStartEvent start -> mapping(location(start), depth);
            default -> throw new KingfisherException(location(event) + ": unexpected YAML here.");
        };
    }

    private YamlNode.Mapping mapping(Location start, int depth) {
        var entries = new LinkedHashMap<String, YamlNode.Entry>();
        for (Event event = next(); !(event instanceof MappingEndEvent); event = next()) {
            refuseAnchorsAndTags(event);
            Location place = location(event);
            if (!(event instanceof ScalarEvent key)) {
                throw new KingfisherException(place + ": a key must be a plain word.");
            }
            YamlNode value = node(next(), depth + 1);
            var earlier = entries.putIfAbsent(key.getValue(), new YamlNode.Entry(place, value));
            if (earlier != null) {
                throw new KingfisherException(place + ": the key '" + key.getValue() + "' was already given at "
                        + earlier.location() + "; keep one of them.");
            }
        }
        return new YamlNode.Mapping(entries, start);
    }

    private void refuseAnchorsAndTags(Event event) {
        boolean anchored = event instanceof AliasEvent
                || (event instanceof NodeEvent node && node.getAnchor().isPresent());
        if (anchored) {
            throw new KingfisherException(location(event)
                    + ": anchors and aliases ('&', '*') are not used in configurations; write the value out, or quote"
                    + " it if it is text.");
        }
        boolean tagged = switch (event) {
            case ScalarEvent scalar -> scalar.getTag().isPresent();
            case MappingStartEvent map -> map.getTag().isPresent();
            case SequenceStartEvent list -> list.getTag().isPresent();
            default -> false;
        };
        if (tagged) {
            throw new KingfisherException(location(event)
                    + ": tags ('!') are not used in configurations; remove it, or quote the value if it is text.");
        }
    }

    private Event next() {
        Event event = events.next();
        event.getStartMark().ifPresent(mark -> lastLine = mark.getLine() + 1);
        return event;
    }

    private Location location(Event event) {
        int line = event.getStartMark().map(mark -> mark.getLine() + 1).orElse(lastLine);
        return new Location(origin, lines ? line : 0);
    }

    private static String oneLine(String message) {
        return message == null ? "unreadable" : message.strip().replaceAll("\\s+", " ");
    }
}
