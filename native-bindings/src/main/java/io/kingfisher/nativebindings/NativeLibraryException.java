package io.kingfisher.nativebindings;

/** A native library cannot be used: it is missing, damaged, too old, for another platform, or native access is denied. */
public final class NativeLibraryException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NativeLibraryException(String message) {
        super(message);
    }

    NativeLibraryException(String message, Throwable cause) {
        super(message, cause);
    }
}
