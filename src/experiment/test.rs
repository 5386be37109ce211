//! The test of a run: rows for `validation.csv`, `evaluation.csv` and `cost.csv`, and what was answered.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context, Result};
use serde_json::json;

use super::{
    files::{COST, EVALUATION, EXAMPLE, PREDICTIONS},
    fold::Fold,
    plan::Run,
    predictions::{self, Answers},
    progress::MethodLine,
    start::Ready,
    workplace::{RunError, Workplace},
};
use crate::{
    algorithms::Testing,
    evaluate::{Protocol, Score, Signal},
    measures::Predictions,
    models::Params,
    records::{self, CostRow, EvaluationRow, TaskKind, Values},
    tasks::{Interface, family::Show, frozen::FrozenEpisodes},
};

/// How a run is tested on frozen episodes.
pub(crate) struct Test<'a> {
    /// The run.
    pub run: &'a Run<'a>,
    /// What its tasks are judged by.
    pub interface: Interface,
    /// Its method.
    pub ready: &'a Ready,
    /// Numbers of support images per class.
    pub shots: &'a [usize],
    /// Numbers of adaptation steps, ascending.
    pub steps: &'a [usize],
    /// Whether what is answered is kept; unless said, where answers are numbers or a measure looks at those of all episodes together.
    pub keeps: Option<bool>,
    /// Set when the user wants to stop.
    pub stop: &'a AtomicBool,
}

/// What a test gave.
pub(crate) struct TestOutcome {
    /// A row for every number of shots, episode and number of steps.
    pub rows: Vec<EvaluationRow>,
    /// What each number of steps cost.
    pub costs: Vec<CostRow>,
    /// What was answered, if it is kept.
    pub answers: Answers,
    /// The bytes of answers that were to be kept and are too many.
    pub left_out: Option<usize>,
}

impl Test<'_> {
    /// Tests with every number of shots and steps; `None` when the user stops it.
    pub fn outcome(
        &self,
        theta: &Params,
        episodes: &FrozenEpisodes,
        line: &mut MethodLine,
    ) -> Option<TestOutcome> {
        let Self { run, ready, steps, .. } = *self;
        line.test(run.label(), episodes.len() * self.shots.len());
        let line = &*line;
        let observe = |count| {
            line.tested(count);
            if self.stop.load(Ordering::Relaxed) { Signal::Stop } else { Signal::Continue }
        };
        let pools = self.interface.measures.iter().any(|measure| measure.pooled());
        let (asked, sizes) = (self.keeps, [episodes.len(), self.shots.len(), steps.len()]);
        let left_out = AtomicUsize::new(0);
        let keeps = |some: &Predictions| {
            if !asked.unwrap_or(pools || !some.are_labelled()) {
                return false;
            }
            let bytes = predictions::bytes_of(some, sizes);
            let fits = bytes <= predictions::MOST_BYTES;
            left_out.store(if fits { 0 } else { bytes }, Ordering::Relaxed);
            fits
        };
        let (mut rows, mut costs, mut answers) = (Vec::new(), Vec::new(), Answers::default());
        for &shots in self.shots {
            let protocol = Protocol {
                interface: &self.interface,
                episodes,
                shots,
                steps,
                draws: run.draws(),
                split: &ready.split,
                keeps: &keeps,
            };
            let tested = protocol.evaluate(&*ready.learner, theta, &observe)?;
            costs.extend(tested.costs.iter().zip(steps).map(|(cost, &step)| CostRow {
                method: run.name.to_owned(),
                fold: run.fold,
                seed: run.seed,
                shots,
                step,
                rows: cost.rows,
                milliseconds: 1e3 * cost.seconds,
            }));
            for (episode, scores) in tested.scores.iter().enumerate() {
                rows.extend(scores.iter().zip(steps).map(|(score, &step)| EvaluationRow {
                    method: run.name.to_owned(),
                    fold: run.fold,
                    seed: run.seed,
                    task: TaskKind::FewShot,
                    shots,
                    episode,
                    step,
                    loss: score.loss,
                    values: values(&self.interface, score),
                }));
            }
            if !tested.predictions.is_empty() {
                answers.0.push((shots, tested.predictions));
            }
        }
        let left_out = left_out.into_inner();
        Some(TestOutcome { rows, costs, answers, left_out: (left_out > 0).then_some(left_out) })
    }
}

impl Workplace<'_> {
    /// Judges what was learned on validation episodes, and leaves `validation.csv`.
    pub(super) fn validate(
        &self,
        run: &Run,
        ready: &Ready,
        theta: &Params,
        episodes: &FrozenEpisodes,
        iteration: usize,
        line: &mut MethodLine,
    ) -> Result<(), RunError> {
        let rows = self.test_on(run, ready, theta, episodes, line, Some(false))?.rows;
        let paused = self.goal.until().filter(|until| iteration == *until && *until < run.train.iterations);
        self.folder.write(run.validation(paused), &records::to_csv(&rows)?)?;
        Ok(())
    }

    /// Tests what was learned, and leaves `evaluation.csv` and what stands beside it.
    pub(super) fn test(
        &self,
        run: &Run,
        ready: &Ready,
        theta: &Params,
        fold: &Fold,
        line: &mut MethodLine,
    ) -> Result<(), RunError> {
        let rows = match run.method.algorithm.testing() {
            Testing::Episodes => {
                self.show(run, ready, theta)?;
                let keeps = run.experiment.evaluate.predictions;
                let outcome = self.test_on(run, ready, theta, &fold.test, line, keeps)?;
                self.keep(run, &outcome)?;
                outcome.rows
            }
            Testing::Truth => {
                let outcome = self.test_truth(run, &fold.test);
                self.keep(run, &outcome)?;
                outcome.rows
            }
            Testing::WholeDataset => self.test_whole_dataset(run, &*ready.learner, theta),
        };
        self.write(run, EVALUATION, &records::to_csv(&rows)?)?;
        Ok(())
    }

    /// Tests on frozen episodes, with every number of shots and steps.
    fn test_on(
        &self,
        run: &Run,
        ready: &Ready,
        theta: &Params,
        episodes: &FrozenEpisodes,
        line: &mut MethodLine,
        keeps: Option<bool>,
    ) -> Result<TestOutcome, RunError> {
        let interface = self.test_interface();
        let (shots, steps) = (run.test_shots.as_slice(), run.steps);
        let test = Test { run, interface, ready, shots, steps, keeps, stop: self.stop };
        test.outcome(theta, episodes, line).ok_or(RunError::Stopped)
    }

    /// Leaves what a method's first run answers on an episode, to be drawn.
    fn show(&self, run: &Run, ready: &Ready, theta: &Params) -> Result<()> {
        let experiment = run.experiment;
        let is_first = Some(&run.seed) == experiment.seeds.first();
        if run.fold > 0 || !(is_first || self.material.tasks.shows_every_seed()) {
            return Ok(());
        }
        let example = self.material.tasks.example(&Show {
            fold: run.fold,
            seed: experiment.evaluate.seed,
            shots: experiment.task.shots(),
            largest_shots: experiment.largest_shots(),
            steps: run.steps,
            answer: &|episode| {
                let answers = ready.learner.predict(theta, episode, run.steps, run.draws());
                answers.into_iter().map(|answer| answer.outputs).collect()
            },
            contexts: &|episode| {
                let last = run.steps.last().copied().unwrap_or(0);
                ready.learner.contexts(theta, episode, last, run.draws())
            },
        });
        self.write(run, EXAMPLE, serde_json::to_string(&example).context("JSON")?.as_bytes())
    }

    /// Leaves what a test gave beside its rows.
    fn keep(&self, run: &Run, outcome: &TestOutcome) -> Result<()> {
        self.write(run, COST, &records::to_csv(&outcome.costs)?)?;
        if let Some(bytes) = outcome.answers.to_bytes()? {
            self.write(run, PREDICTIONS, &bytes)?;
        }
        if let Some(bytes) = outcome.left_out {
            let most = predictions::MOST_BYTES;
            self.log(run, json!({"event": "predictions left out", "bytes": bytes, "most": most}))?;
        }
        Ok(())
    }

    /// The interface of the tasks, with all that the test measures.
    pub(super) fn test_interface(&self) -> Interface {
        Interface { measures: self.material.experiment.measures(), ..self.material.interface() }
    }
}

/// What `evaluation.csv` has of a score.
pub(super) fn values(interface: &Interface, score: &Score) -> Values {
    let measured = interface.measures.iter().zip(&score.measured);
    measured.map(|(measure, value)| (measure.name(), *value)).collect()
}
