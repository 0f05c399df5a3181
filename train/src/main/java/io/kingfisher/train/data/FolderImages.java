package io.kingfisher.train.data;

import io.kingfisher.runtime.KingfisherException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The images in a folder and the folders in it. */
final class FolderImages implements ImageSource {
    private static final int MOST_LEVELS = 8;

    private final Path folder;
    private final List<String> names;

    FolderImages(Path folder) {
        this.folder = folder;
        try (var files = Files.walk(folder, MOST_LEVELS, FileVisitOption.FOLLOW_LINKS)) {
            this.names = files.filter(Files::isRegularFile)
                    .map(file -> folder.relativize(file)
                            .toString()
                            .replace(file.getFileSystem().getSeparator(), "/"))
                    .filter(ImageSource::isImage)
                    .sorted()
                    .toList();
        } catch (IOException | UncheckedIOException e) {
            throw new KingfisherException("%s: cannot list the images: %s".formatted(folder, e.getMessage()), e);
        }
    }

    @Override
    public List<String> names() {
        return names;
    }

    @Override
    public byte[] read(String name) {
        try (InputStream in = Files.newInputStream(folder.resolve(name))) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw new KingfisherException(
                        "%s: an image file of more than %d bytes".formatted(where(name), MOST_BYTES));
            }
            return bytes;
        } catch (IOException e) {
            throw new KingfisherException("%s: cannot read the image: %s".formatted(where(name), e), e);
        }
    }

    @Override
    public String where(String name) {
        return folder.resolve(name).toString();
    }

    @Override
    public void close() {}
}
