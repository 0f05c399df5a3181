package io.kingfisher.train;

import io.kingfisher.train.data.DataLoader;
import io.kingfisher.train.data.Position;
import io.kingfisher.train.report.Scores;

/** A model's scores on all held-out data. */
final class Evaluation {
    private Evaluation() {}

    static Scores of(Experiment experiment) {
        DataLoader test = experiment.testLoader();
        test.seek(Position.START);
        Tally tally = new Tally();
        Pipeline pipeline = new Pipeline(experiment.programs().history(), tally::add);
        for (int i = 0; i < test.batchesPerEpoch(); i++) {
            pipeline.give(experiment.programs().evaluation(), test.next(), 0);
        }
        pipeline.drain();
        return tally.scores(experiment.task(), true);
    }
}
