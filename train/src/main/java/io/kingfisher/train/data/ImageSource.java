package io.kingfisher.train.data;

import java.util.List;
import java.util.Locale;

/** Encoded images with names, in a folder or a zip. Reads are safe from several threads at once. */
sealed interface ImageSource extends AutoCloseable permits FolderImages, ZipImages {
    /** The most bytes of one encoded image. */
    int MOST_BYTES = 64 << 20;

    /** The images' names, relative and with slashes, in ascending order. */
    List<String> names();

    /** The encoded image. */
    byte[] read(String name);

    /** Where an image is, for messages. */
    String where(String name);

    @Override
    void close();

    /** Whether a name is that of an image, not of a readme or of what a Mac leaves behind. */
    static boolean isImage(String name) {
        String file = name.substring(name.lastIndexOf('/') + 1).toLowerCase(Locale.ROOT);
        return !file.startsWith(".")
                && !name.startsWith("__MACOSX/")
                && (file.endsWith(".jpg") || file.endsWith(".jpeg") || file.endsWith(".png"));
    }
}
