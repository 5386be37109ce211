//! The test of what is best possible: answers of the model that tasks are simulated from.

use super::{
    plan::Run,
    predictions::Answers,
    test::{TestOutcome, values},
    workplace::Workplace,
};
use crate::{
    evaluate::Score,
    measures::{LogLoss, Measure},
    records::{EvaluationRow, TaskKind},
    tasks::frozen::FrozenEpisodes,
};

impl Workplace<'_> {
    /// Tests it on the frozen episodes of the other methods, with every number of shots; the same after any number of steps.
    pub(super) fn test_truth(&self, run: &Run, episodes: &FrozenEpisodes) -> TestOutcome {
        let (experiment, interface) = (self.material.experiment, self.test_interface());
        let (mut rows, mut answers) = (Vec::new(), Answers::default());
        for &shots in &run.test_shots {
            let asked = (experiment.largest_shots(), shots);
            let seed = experiment.evaluate.seed;
            let Some(best) = self.material.tasks.best_possible(run.fold, seed, episodes.len(), asked) else {
                continue; // the checks see to it
            };
            let losses = LogLoss.of_each(&best);
            let measured: Vec<Vec<f64>> =
                interface.measures.iter().map(|measure| measure.of_each(&best)).collect();
            for (episode, loss) in losses.into_iter().enumerate() {
                let measured = measured.iter().map(|of_each| of_each[episode]).collect();
                let score = Score { loss, measured };
                rows.extend(run.steps.iter().map(|&step| EvaluationRow {
                    method: run.name.to_owned(),
                    fold: run.fold,
                    seed: run.seed,
                    task: TaskKind::FewShot,
                    shots,
                    episode,
                    step,
                    loss: score.loss,
                    values: values(&interface, &score),
                }));
            }
            answers.0.push((shots, vec![best; run.steps.len()]));
        }
        TestOutcome { rows, costs: Vec::new(), answers, left_out: None }
    }
}
