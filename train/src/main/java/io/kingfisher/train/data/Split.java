package io.kingfisher.train.data;

/** Which part of a data set: the one to train on or the one to evaluate on (test or validation). */
public enum Split {
    TRAIN,
    TEST;

    /** The name as it is written in messages and folders: {@code train} or {@code test}. */
    public String label() {
        return this == TRAIN ? "train" : "test";
    }
}
