package io.kingfisher.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.kingfisher.runtime.KingfisherException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What someone reads who has no data yet. */
class DataAdviceTest {
    @TempDir
    Path folder;

    private static String message(DataSpec spec) {
        return assertThrows(KingfisherException.class, () -> Datasets.open(spec).close())
                .getMessage();
    }

    @ParameterizedTest
    @CsvSource({
        "MNIST, train-images-idx3-ubyte.gz, https://ossci-datasets.s3.amazonaws.com/mnist/",
        "fashion-mnist, t10k-labels-idx1-ubyte.gz, https://github.com/zalandoresearch/fashion-mnist",
        "cifar10, test_batch.bin, https://www.cs.toronto.edu/~kriz/cifar.html",
        "CIFAR-100, train.bin, https://www.cs.toronto.edu/~kriz/cifar.html",
        "images, a folder of images for each class, ''",
        "text, test.txt, ''"
    })
    void saysWhichFilesFromWhereAndHowToNameThem(String dataset, String file, String source) {
        Path nowhere = folder.resolve("nowhere");
        for (DataSpec spec :
                new DataSpec[] {DataSpec.of(dataset), DataSpec.of(dataset).withPath(nowhere)}) {
            String message = message(spec);
            assertTrue(message.startsWith("dataset " + dataset), message);
            assertTrue(message.contains("name with --data, or data: in the configuration"), message);
            assertTrue(message.contains(file) && message.contains(source), message);
            assertEquals(spec.path().isPresent(), message.contains("no file or folder " + nowhere), message);
        }
    }

    @Test
    void saysWhereMissingFilesComeFrom() throws Exception {
        Files.createFile(folder.resolve("other"));
        String message = message(DataSpec.of("mnist").withPath(folder));
        assertTrue(message.contains("no train images: looked for train-images-idx3-ubyte.gz"), message);
        assertTrue(message.endsWith("they come from https://ossci-datasets.s3.amazonaws.com/mnist/"), message);
    }
}
