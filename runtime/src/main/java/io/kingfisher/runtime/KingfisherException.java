package io.kingfisher.runtime;

/**
 * What every public method of Kingfisher throws on bad input or a failed native call: one sentence that says what went
 * wrong, where (a file and line, a configuration key, a layer's path, a library), and what to do about it.
 */
public final class KingfisherException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public KingfisherException(String message) {
        super(message);
    }

    public KingfisherException(String message, Throwable cause) {
        super(message, cause);
    }
}
