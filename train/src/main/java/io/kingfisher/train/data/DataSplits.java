package io.kingfisher.train.data;

import java.util.List;

/**
 * The two parts of a data set. Closing it closes both.
 *
 * @param train to train on
 * @param test to evaluate on, never seen in training
 * @param notes what a person should know about how the parts were chosen, such as a missing file that was made up for
 */
public record DataSplits(Dataset train, Dataset test, List<String> notes) implements AutoCloseable {
    public DataSplits {
        notes = List.copyOf(notes);
    }

    @Override
    public void close() {
        train.close();
        test.close();
    }
}
