package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Text data sets: one UTF-8 file of which the end is kept for evaluation, or a file for each part. */
final class TextFiles {
    private static final long MOST_BYTES = 1L << 30;
    private static final List<String> TRAIN = List.of("wiki.train.tokens", "train.txt", "train.tokens");
    private static final List<String> VALIDATION =
            List.of("wiki.valid.tokens", "valid.txt", "validation.txt", "val.txt", "valid.tokens");
    private static final List<String> TEST = List.of("wiki.test.tokens", "test.txt", "test.tokens");
    private static final List<String> SINGLE = List.of("input.txt");

    private record Parts(String train, String test, List<String> notes) {}

    private TextFiles() {}

    /**
     * Opens a text.
     *
     * @param path a file, or a folder with the usual names in it or in one of {@code subfolders}
     */
    static DataSplits open(String name, Path path, List<String> subfolders, TextOptions options) {
        Parts parts = parts(name, path, subfolders, options);
        Tokenizer tokenizer = switch (options.tokens()) {
            case CHAR -> new CharTokenizer(parts.train(), parts.test());
            case WORD -> new WordTokenizer(parts.train(), options.maxVocabulary());
            case GPT2 -> new Gpt2Tokenizer();
        };
        int context = options.context();
        var train = new TokenDataset(name, Split.TRAIN, tokenizer, context, tokenizer.encode(parts.train()));
        try {
            var test = new TokenDataset(name, Split.TEST, tokenizer, context, tokenizer.encode(parts.test()));
            return new DataSplits(train, test, parts.notes());
        } catch (RuntimeException | Error e) {
            train.close();
            throw e;
        }
    }

    private static Parts parts(String name, Path path, List<String> subfolders, TextOptions options) {
        if (Files.isRegularFile(path)) {
            return cut(path, options, List.of());
        }
        List<Path> folders = Stream.concat(Stream.of(""), subfolders.stream())
                .map(path::resolve)
                .toList();
        Optional<Path> train = DataFiles.find(folders, TRAIN);
        Optional<Path> validation = DataFiles.find(folders, VALIDATION);
        Optional<Path> test = DataFiles.find(folders, TEST);
        if (train.isPresent()) {
            Optional<Path> held = validation.or(() -> test);
            return held.map(file -> new Parts(read(train.get()), read(file), List.of("evaluated on " + file)))
                    .orElseGet(() -> cut(
                            train.get(),
                            options,
                            List.of("there is no validation or test text beside %s: its end is kept for evaluation"
                                    .formatted(train.get()))));
        }
        if (validation.isPresent() && test.isPresent()) {
            return new Parts(
                    read(validation.get()),
                    read(test.get()),
                    List.of("there is no training text in %s: trained on %s and evaluated on %s"
                            .formatted(path, validation.get(), test.get())));
        }
        return DataFiles.find(folders, SINGLE)
                .or(() -> onlyText(path))
                .map(file -> cut(file, options, List.of()))
                .orElseThrow(() -> {
                    var names = new ArrayList<>(TRAIN);
                    names.addAll(VALIDATION);
                    names.addAll(TEST);
                    names.addAll(SINGLE);
                    names.add("a single other .txt file");
                    return new KingfisherException("dataset %s: no text: looked for %s in %s"
                            .formatted(name, String.join(", ", names), DataFiles.list(folders)));
                });
    }

    private static Optional<Path> onlyText(Path folder) {
        try (var files = Files.list(folder)) {
            List<Path> texts = files.filter(Files::isRegularFile)
                    .filter(file -> file.toString().endsWith(".txt"))
                    .toList();
            return texts.size() == 1 ? Optional.of(texts.getFirst()) : Optional.empty();
        } catch (IOException e) {
            throw new KingfisherException("%s: cannot list the folder: %s".formatted(folder, e.getMessage()), e);
        }
    }

    /** Characters are cut exactly; words and byte pairs at the next line end, so that none is cut in two. */
    private static Parts cut(Path file, TextOptions options, List<String> notes) {
        String text = read(file);
        int length = text.codePointCount(0, text.length());
        int at = text.offsetByCodePoints(0, (int) (length * (1 - options.validationFraction())));
        if (options.tokens() != TextOptions.Tokens.CHAR) {
            int lineEnd = text.indexOf('\n', at);
            if (lineEnd < 0 || lineEnd == text.length() - 1) {
                lineEnd = text.lastIndexOf('\n', at);
            }
            at = lineEnd < 0 ? at : lineEnd + 1;
        }
        return new Parts(text.substring(0, at), text.substring(at), notes);
    }

    private static String read(Path file) {
        try {
            long size = Files.size(file);
            if (size > MOST_BYTES) {
                throw new KingfisherException(
                        "%s: a text of %d bytes; at most %d are accepted".formatted(file, size, MOST_BYTES));
            }
            var bytes = ByteBuffer.wrap(Files.readAllBytes(file));
            var characters = CharBuffer.allocate(bytes.remaining());
            var result = StandardCharsets.UTF_8.newDecoder().decode(bytes, characters, true);
            if (result.isError()) {
                throw new KingfisherException(
                        "%s, byte %d: the text is not UTF-8; convert it first".formatted(file, bytes.position()));
            }
            String text = characters.flip().toString();
            return text.startsWith("\uFEFF") ? text.substring(1) : text;
        } catch (IOException e) {
            throw new KingfisherException("%s: cannot read the text: %s".formatted(file, e.getMessage()), e);
        }
    }
}
