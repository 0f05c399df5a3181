package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.nio.file.Path;

/** What to say to who has no data yet: which files a data set consists of, where they come from, and how to name their place. */
enum DataAdvice {
    MNIST(
            "a folder with train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and"
                    + " t10k-labels-idx1-ubyte.gz",
            "https://ossci-datasets.s3.amazonaws.com/mnist/"),
    FASHION_MNIST(
            "a folder with train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and"
                    + " t10k-labels-idx1-ubyte.gz",
            "https://github.com/zalandoresearch/fashion-mnist"),
    CIFAR10(
            "a folder with the binary version (data_batch_1.bin to data_batch_5.bin and test_batch.bin), or a zip of"
                    + " class folders",
            "https://www.cs.toronto.edu/~kriz/cifar.html"),
    CIFAR100(
            "a folder with the binary version (train.bin and test.bin), or a zip of class folders",
            "https://www.cs.toronto.edu/~kriz/cifar.html"),
    IMAGES("a folder or a zip with the folders train and test, and in them a folder of images for each class", ""),
    TEXT("a text file, or a folder with train.txt and test.txt", "");

    private final String files;
    private final String source;

    DataAdvice(String files, String source) {
        this.files = files;
        this.source = source;
    }

    private String text() {
        return files + (source.isEmpty() ? "" : " (from " + source + ")");
    }

    /** Where to get files of which some are missing, as the end of a sentence. */
    String origin() {
        return source.isEmpty() ? "" : "; they come from " + source;
    }

    KingfisherException unnamed(String dataset) {
        return new KingfisherException(
                "dataset %s is read from files: name with --data, or data: in the configuration, %s"
                        .formatted(dataset, text()));
    }

    KingfisherException missing(String dataset, Path path) {
        return new KingfisherException(
                "dataset %s: there is no file or folder %s; name with --data, or data: in the configuration, %s"
                        .formatted(dataset, path.toAbsolutePath(), text()));
    }
}
