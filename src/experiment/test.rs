//! The test of a run: rows for `validation.csv` and `evaluation.csv`.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::{
    INTERRUPTED,
    plan::Run,
    progress::MethodLine,
    run::{Ended, Workplace, label},
    start::Ready,
};
use crate::{
    algorithms::MetaLearner,
    evaluate::{Protocol, Verdict, score},
    models::Params,
    random::{Draws, Purpose},
    records::{EvaluationRow, Task},
    tasks::{few_shot::whole_dataset, frozen::FrozenEpisodes},
};

impl Workplace<'_> {
    /// Tests on frozen episodes, with every number of shots and steps.
    pub(super) fn test(
        &self,
        run: &Run,
        ready: &Ready,
        theta: &Params,
        episodes: &FrozenEpisodes,
        line: &mut MethodLine,
    ) -> Result<Vec<EvaluationRow>, Ended> {
        let experiment = self.material.experiment;
        let (steps, shots) = (&experiment.evaluate.steps, experiment.test_shots());
        line.test(&label(run), episodes.len() * shots.len());
        let line = &*line;
        let observe = |count| {
            line.tested(count);
            if self.stop.load(Ordering::Relaxed) { Verdict::Stop } else { Verdict::Continue }
        };
        let mut rows = Vec::new();
        for shots in shots {
            let protocol = Protocol { episodes, shots, steps, draws: self.draws(run), split: &ready.split };
            let scores = protocol.evaluate(&*ready.learner, theta, &observe).ok_or(Ended::Stopped)?;
            for (episode, scores) in scores.iter().enumerate() {
                rows.extend(scores.iter().zip(steps).map(|(score, &step)| EvaluationRow {
                    method: run.name.to_owned(),
                    fold: run.fold,
                    seed: run.seed,
                    task: Task::FewShot,
                    shots,
                    episode,
                    step,
                    loss: score.loss,
                    accuracy: score.accuracy,
                }));
            }
        }
        Ok(rows)
    }

    /// Tests with all training images as the support set and all test images as queries.
    pub(super) fn test_whole_dataset(
        &self,
        run: &Run,
        learner: &dyn MetaLearner,
        theta: &Params,
    ) -> Vec<EvaluationRow> {
        let data = &self.material.dataset;
        let steps = &self.material.experiment.evaluate.steps;
        // One large task: here libtorch's own threads are the ones that pay.
        tch::set_num_threads(self.split.threads() as i32);
        let done = AtomicBool::new(false);
        let scores = std::thread::scope(|scope| {
            // It takes minutes and leaves nothing before its end, so that to stop it is to leave.
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    if self.stop.load(Ordering::Relaxed) {
                        std::process::exit(INTERRUPTED.into());
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
            });
            let whole = whole_dataset(data, &self.material.bank);
            let scores = score(learner, theta, &whole, steps, self.draws(run));
            done.store(true, Ordering::Relaxed);
            scores
        });
        tch::set_num_threads(1);
        let scores = scores.into_iter().flatten().zip(steps);
        let shots = data.training / data.classes.len().max(1);
        scores
            .map(|(score, &step)| EvaluationRow {
                method: run.name.to_owned(),
                fold: run.fold,
                seed: run.seed,
                task: Task::WholeDataset,
                shots,
                episode: 0,
                step,
                loss: score.loss,
                accuracy: score.accuracy,
            })
            .collect()
    }

    pub(super) fn draws(&self, run: &Run) -> Draws {
        Draws { seed: run.seed, purpose: Purpose::Adapt, occasion: 0 }
    }
}
