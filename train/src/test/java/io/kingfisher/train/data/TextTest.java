package io.kingfisher.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.KingfisherException;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextTest {
    @TempDir
    Path folder;

    private static DataSplits open(Path path, TextOptions options) {
        return Datasets.open(DataSpec.of("text").withPath(path).withText(options));
    }

    private static void refused(Path path, TextOptions options, String... expected) {
        String message = assertThrows(KingfisherException.class, () -> open(path, options))
                .getMessage();
        for (String part : expected) {
            assertTrue(message.contains(part), message + "\n  should say: " + part);
        }
    }

    private static int[] row(Batch batch, int row, int context, boolean targets) {
        var all = (targets ? batch.targets() : batch.inputs()).toArray(ValueLayout.JAVA_INT);
        return Arrays.copyOfRange(all, row * context, (row + 1) * context);
    }

    private static TokenDataset counting(int tokens, int context) {
        var ids = new int[tokens];
        Arrays.setAll(ids, i -> i);
        return new TokenDataset("counting", Split.TRAIN, new Numbers(tokens), context, ids);
    }

    private record Numbers(int vocabulary) implements Tokenizer {
        @Override
        public String name() {
            return "numbers";
        }

        @Override
        public int[] encode(String text) {
            return new int[0];
        }

        @Override
        public String decode(int[] ids) {
            return Arrays.toString(ids);
        }
    }

    @Test
    void charactersAreSortedAndCutExactly() throws IOException {
        Path file = Files.writeString(folder.resolve("t.txt"), "hello wörld \uD83D\uDE00!\nabcdefgh");
        try (DataSplits splits = open(file, TextOptions.DEFAULT.withContext(4).withValidationFraction(.25))) {
            var train = (TokenDataset) splits.train();
            var test = (TokenDataset) splits.test();
            // 23 characters, of which the grinning face is one: 17 to train on.
            assertEquals(17, train.tokenCount());
            assertEquals(6, test.tokenCount());
            var tokenizer = train.tokenizer();
            assertEquals(17, tokenizer.vocabulary());
            assertEquals("wörld \uD83D\uDE00!\n", tokenizer.decode(tokenizer.encode("wörld \uD83D\uDE00!\n")));
            assertArrayEquals(new int[] {0, 1, 16}, tokenizer.encode("\n \uD83D\uDE00"));
            String message = assertThrows(KingfisherException.class, () -> tokenizer.encode("abz"))
                    .getMessage();
            assertTrue(message.contains("character 2") && message.contains("U+007A"), message);
            assertThrows(KingfisherException.class, () -> tokenizer.decode(new int[] {17}));
        }
    }

    @Test
    void wordsAreCountedInTheTrainingText() throws IOException {
        Files.writeString(folder.resolve("wiki.train.tokens"), "the cat the dog\n\n a cat <unk> the\n");
        Files.writeString(folder.resolve("wiki.valid.tokens"), "the bird");
        var options = TextOptions.DEFAULT.withTokens(TextOptions.Tokens.WORD).withContext(3);
        try (DataSplits splits = open(folder, options)) {
            var train = (TokenDataset) splits.train();
            var words = (WordTokenizer) train.tokenizer();
            assertEquals(List.of("<unk>", "<eos>", "the", "cat", "a", "dog"), words.words());
            assertArrayEquals(new int[] {2, 0, 1}, words.encode("the bird"));
            assertEquals("the cat\n\n<unk> a", words.decode(new int[] {2, 3, 1, 1, 0, 4}));
            assertEquals(11, train.tokenCount());
            assertTrue(splits.notes().getFirst().contains("wiki.valid.tokens"));
        }
        try (DataSplits splits = open(folder, options.withMaxVocabulary(3))) {
            assertEquals(
                    List.of("<unk>", "<eos>", "the"),
                    ((WordTokenizer) ((TokenDataset) splits.train()).tokenizer()).words());
        }
    }

    @Test
    void bytePairsAreThoseOfGpt2() {
        var gpt2 = new Gpt2Tokenizer();
        // As OpenAI's encoder gives them.
        assertArrayEquals(new int[] {15496, 995}, gpt2.encode("Hello world"));
        assertArrayEquals(new int[] {15496, 11, 995, 0}, gpt2.encode("Hello, world!"));
        assertArrayEquals(new int[] {198}, gpt2.encode("\n"));
        assertArrayEquals(new int[0], gpt2.encode(""));
        assertEquals(50_257, gpt2.vocabulary());
        String text = "Füchse — 狐狸 \uD83E\uDD8A  don't\n\n\tend <|endoftext|>";
        assertEquals(text, gpt2.decode(gpt2.encode(text)));
        assertTrue(Arrays.stream(gpt2.encode(text)).noneMatch(id -> id == 50_256));
    }

    @Test
    void cuttingALongTextIntoPiecesChangesNoToken() {
        var text = new StringBuilder();
        var random = new Philox(1).at(0, 0, 0);
        String[] parts = {
            "word", " and", "\n", "\n\n", " \n", "\n ", "'s", "42", "  ", "\r\n", "é", "\u00a0", "\u0085", "!?", "\t"
        };
        while (text.length() < 400_000) {
            text.append(parts[random.nextInt(parts.length)]);
        }
        List<String> pieces = Gpt2Tokenizer.pieces(text.toString());
        assertTrue(pieces.size() > 3, "pieces: " + pieces.size());
        assertEquals(text.toString(), String.join("", pieces));
        var whole = com.knuddels.jtokkit.Encodings.newLazyEncodingRegistry()
                .getEncoding(com.knuddels.jtokkit.api.EncodingType.R50K_BASE)
                .encodeOrdinary(text.toString());
        assertArrayEquals(whole.toArray(), new Gpt2Tokenizer().encode(text.toString()));
    }

    @Test
    void trainingWindowsAreRandomAndShiftedByOne() {
        try (var tokens = counting(100, 8);
                var loader = new DataLoader(tokens, LoaderOptions.training(4, 3))) {
            var starts = new java.util.TreeSet<Integer>();
            for (int i = 0; i < 3000 / 4; i++) {
                Batch batch = loader.next();
                assertEquals(32, batch.targetCount());
                for (int row = 0; row < 4; row++) {
                    int[] inputs = row(batch, row, 8, false);
                    int[] targets = row(batch, row, 8, true);
                    starts.add(inputs[0]);
                    for (int t = 0; t < 8; t++) {
                        assertEquals(inputs[0] + t, inputs[t]);
                        assertEquals(inputs[t] + 1, targets[t]);
                    }
                }
            }
            // Every start from 0 to 91, the last with target 99.
            assertEquals(92, starts.size());
            assertEquals(91, starts.last());
        }
    }

    @Test
    void evaluationWindowsFollowOneAnotherAndCoverEveryTarget() {
        for (int count : new int[] {2, 8, 9, 10, 17, 18, 33}) {
            try (var tokens = counting(count, 8);
                    var loader =
                            new DataLoader(tokens, LoaderOptions.evaluation(2).withWorkers(count % 2))) {
                int expected = 1;
                int valid = 0;
                for (int i = 0; i < loader.batchesPerEpoch(); i++) {
                    Batch batch = loader.next();
                    valid += batch.targetCount();
                    for (int row = 0; row < 2; row++) {
                        for (int target : row(batch, row, 8, true)) {
                            assertEquals(expected < count ? expected++ : DataLoader.IGNORE, target);
                        }
                    }
                }
                assertEquals(count, expected);
                assertEquals(count - 1, valid);
            }
        }
    }

    @Test
    void windowsDoNotDependOnWorkersAndContinue() {
        try (var tokens = counting(500, 7)) {
            var options = LoaderOptions.training(6, 8);
            try (var inline = new DataLoader(tokens, options.withWorkers(0));
                    var many = new DataLoader(tokens, options.withWorkers(4))) {
                for (int i = 0; i < 40; i++) {
                    var position = inline.position();
                    int[] expected = inline.next().inputs().toArray(ValueLayout.JAVA_INT);
                    assertArrayEquals(expected, many.next().inputs().toArray(ValueLayout.JAVA_INT));
                    if (i % 10 == 9) {
                        many.seek(position);
                        assertArrayEquals(expected, many.next().inputs().toArray(ValueLayout.JAVA_INT));
                    }
                }
            }
        }
    }

    @Test
    void findsTheFilesThatPeopleHaveAndSaysWhatItMadeOfThem() throws IOException {
        var options = TextOptions.DEFAULT.withContext(2);
        refused(folder, options, "wiki.train.tokens", "input.txt", folder.toString());
        Files.writeString(folder.resolve("poem.txt"), "0123456789");
        refused(folder, options, "the test text has 1 tokens");
        Files.writeString(folder.resolve("poem.txt"), "0123456789".repeat(2));
        try (DataSplits splits = open(folder, options)) {
            assertEquals(18, ((TokenDataset) splits.train()).tokenCount());
        }
        Files.writeString(folder.resolve("input.txt"), "0123456789".repeat(10));
        try (DataSplits splits = open(folder, options)) {
            assertEquals(90, ((TokenDataset) splits.train()).tokenCount());
        }
        Files.writeString(folder.resolve("wiki.valid.tokens"), "aaaa");
        Files.writeString(folder.resolve("wiki.test.tokens"), "bbb");
        try (DataSplits splits = open(folder, options)) {
            assertEquals(4, ((TokenDataset) splits.train()).tokenCount());
            assertEquals(3, ((TokenDataset) splits.test()).tokenCount());
            assertEquals(2, splits.train().classes());
            assertTrue(splits.notes().getFirst().contains("no training text"));
        }
    }

    @Test
    void wordsAndBytePairsAreCutAtALineEnd() throws IOException {
        Path file = Files.writeString(folder.resolve("t.txt"), "one two three\nfour five six\nseven eight\nnine ten\n");
        var options = TextOptions.DEFAULT.withTokens(TextOptions.Tokens.WORD).withValidationFraction(.5);
        try (DataSplits splits = open(file, options)) {
            assertEquals(8, ((TokenDataset) splits.train()).tokenCount());
            assertEquals(6, ((TokenDataset) splits.test()).tokenCount());
        }
        try (DataSplits splits = open(file, options.withTokens(TextOptions.Tokens.GPT2))) {
            assertEquals("one two three\nfour five six\n", text((TokenDataset) splits.train()));
        }
    }

    private static String text(TokenDataset tokens) {
        try (var arena = java.lang.foreign.Arena.ofConfined()) {
            var ids = arena.allocate(4L * tokens.tokenCount(), 4);
            tokens.read(0, tokens.tokenCount(), ids, 0);
            return tokens.tokenizer().decode(ids.toArray(ValueLayout.JAVA_INT));
        }
    }

    @Test
    void refusesTextsThatCannotWork() throws IOException {
        Path file = folder.resolve("t.txt");
        Files.write(file, new byte[] {'a', 'b', 'c', (byte) 0xC3, 'x', 'y'});
        refused(file, TextOptions.DEFAULT, "t.txt, byte 3", "UTF-8");
        Files.write(file, new byte[] {'a', 'b', (byte) 0xE2, (byte) 0x82});
        refused(file, TextOptions.DEFAULT, "t.txt, byte 2", "UTF-8");
        Files.write(file, new byte[0]);
        refused(file, TextOptions.DEFAULT, "empty");
        Files.writeString(file, "a");
        refused(file, TextOptions.DEFAULT, "at least 2");
        assertThrows(KingfisherException.class, () -> TextOptions.DEFAULT.withContext(0));
        assertThrows(KingfisherException.class, () -> TextOptions.DEFAULT.withValidationFraction(1));
        assertThrows(KingfisherException.class, () -> TextOptions.Tokens.of("sentence"));
        try (var tokens = counting(8, 8)) {
            assertThrows(KingfisherException.class, () -> new DataLoader(tokens, LoaderOptions.training(1, 0)));
            assertThrows(
                    KingfisherException.class,
                    () -> new DataLoader(
                            tokens, LoaderOptions.evaluation(1).withAugmentation(Augmentation.CROP_AND_FLIP)));
        }
        assertThrows(
                KingfisherException.class,
                () -> new TokenDataset("bad", Split.TRAIN, new Numbers(3), 1, new int[] {0, 3}));
    }

    @Test
    void readsTheRealTexts() {
        Path shakespeare = TestData.require("tinyshakespeare/input.txt");
        try (DataSplits splits = open(shakespeare, TextOptions.DEFAULT)) {
            assertEquals(65, splits.train().classes());
            assertEquals(1_003_854, ((TokenDataset) splits.train()).tokenCount());
            assertEquals(111_540, ((TokenDataset) splits.test()).tokenCount());
            assertTrue(text((TokenDataset) splits.train()).startsWith("First Citizen:\nBefore we proceed"));
        }
        var gpt2 = TextOptions.DEFAULT.withTokens(TextOptions.Tokens.GPT2);
        try (DataSplits splits = open(shakespeare, gpt2)) {
            // 338,025 in all, as others count them; the cut is at a line end here.
            int all = ((TokenDataset) splits.train()).tokenCount() + ((TokenDataset) splits.test()).tokenCount();
            assertEquals(338_025, all);
        }
        Path wiki = TestData.require("wikitext-2");
        var words = TextOptions.DEFAULT.withTokens(TextOptions.Tokens.WORD);
        try (DataSplits splits = Datasets.open(
                DataSpec.of("wikitext-2").withPath(wiki.getParent()).withText(words))) {
            // The published counts of WikiText-2's validation and test tokens, ends of lines included.
            assertEquals(217_646, ((TokenDataset) splits.train()).tokenCount());
            assertEquals(245_569, ((TokenDataset) splits.test()).tokenCount());
            assertTrue(splits.notes().getFirst().contains("no training text"));
        }
    }
}
