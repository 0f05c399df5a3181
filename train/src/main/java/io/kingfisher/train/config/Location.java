package io.kingfisher.train.config;

/**
 * Where a setting came from.
 *
 * @param origin the file's path, or the command-line option, as the user wrote it
 * @param line the line in that file, counted from 1; 0 where there is none (an option, or the file as a whole)
 */
public record Location(String origin, int line) {
    /** {@code configs/quickstart.yaml:7}, or {@code --set init_lr=0.1}. */
    @Override
    public String toString() {
        return line > 0 ? origin + ":" + line : origin;
    }
}
