//! The test of a run: rows for `validation.csv`, `evaluation.csv` and `cost.csv`, and what was answered.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use super::{
    INTERRUPTED,
    plan::Run,
    predictions::{self, Answers},
    progress::MethodLine,
    run::{Ended, Workplace, label},
    start::Ready,
};
use crate::{
    algorithms::MetaLearner,
    evaluate::{Protocol, Score, Verdict, score},
    measures::Predictions,
    models::Params,
    random::{Draws, Purpose},
    records::{CostRow, EvaluationRow, Task, Values},
    tasks::{Interface, frozen::FrozenEpisodes},
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
pub(crate) struct Outcome {
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
    ) -> Option<Outcome> {
        let Self { run, ready, steps, .. } = *self;
        line.test(&label(run), episodes.len() * self.shots.len());
        let line = &*line;
        let observe = |count| {
            line.tested(count);
            if self.stop.load(Ordering::Relaxed) { Verdict::Stop } else { Verdict::Continue }
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
                draws: draws(run),
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
                    task: Task::FewShot,
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
        Some(Outcome { rows, costs, answers, left_out: (left_out > 0).then_some(left_out) })
    }
}

impl Workplace<'_> {
    /// Tests on frozen episodes, with every number of shots and steps.
    pub(super) fn test(
        &self,
        run: &Run,
        ready: &Ready,
        theta: &Params,
        episodes: &FrozenEpisodes,
        line: &mut MethodLine,
        keeps: Option<bool>,
    ) -> Result<Outcome, Ended> {
        let experiment = self.material.experiment;
        let shots = experiment.test_shots();
        let test = Test {
            run,
            interface: self.test_interface(),
            ready,
            shots: &shots,
            steps: &experiment.evaluate.steps,
            keeps,
            stop: self.stop,
        };
        test.outcome(theta, episodes, line).ok_or(Ended::Stopped)
    }

    /// The interface of the tasks, with all that the test measures.
    fn test_interface(&self) -> Interface {
        Interface { measures: self.material.experiment.measures(), ..self.material.interface() }
    }

    /// Tests with all training images as the support set and all test images as queries.
    pub(super) fn test_whole_dataset(
        &self,
        run: &Run,
        learner: &dyn MetaLearner,
        theta: &Params,
    ) -> Vec<EvaluationRow> {
        let Some(whole) = self.material.tasks.whole() else { return Vec::new() }; // the checks see to it
        let steps = &self.material.experiment.evaluate.steps;
        // One large task: here libtorch's own threads are the ones that pay.
        tch::set_num_threads(self.machine.split.threads() as i32);
        let interface = self.test_interface();
        let scores = or_leave(self.stop, || {
            let episode = (whole.episode)();
            let mut tested = score(learner, &interface, theta, &episode, steps, draws(run));
            tested.pool(&interface);
            tested.scores
        });
        tch::set_num_threads(1);
        let scores = scores.into_iter().flatten().zip(steps);
        scores
            .map(|(score, &step)| EvaluationRow {
                method: run.name.to_owned(),
                fold: run.fold,
                seed: run.seed,
                task: Task::WholeDataset,
                shots: whole.shots,
                episode: 0,
                step,
                loss: score.loss,
                values: values(&interface, &score),
            })
            .collect()
    }
}

/// What `evaluation.csv` has of a score.
fn values(interface: &Interface, score: &Score) -> Values {
    let measured = interface.measures.iter().zip(&score.measured);
    measured.map(|(measure, value)| (measure.name(), *value)).collect()
}

/// Does work that takes minutes and leaves nothing before its end, so that to stop it is to leave the program.
fn or_leave<R>(stop: &AtomicBool, work: impl FnOnce() -> R) -> R {
    /// Set at the end of the work, also where libtorch panics.
    struct Done<'a>(&'a AtomicBool);
    impl Drop for Done<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _done = Done(&done);
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                if stop.load(Ordering::Relaxed) {
                    std::process::exit(INTERRUPTED.into());
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        work()
    })
}

/// What a run's method draws from while it adapts to a test task.
pub(crate) fn draws(run: &Run) -> Draws {
    Draws { seed: run.seed, purpose: Purpose::Adapt, occasion: 0, first_task: 0 }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        sync::mpsc::channel,
    };

    use super::*;

    #[test]
    fn work_that_panics_ends() {
        let (ended, waits) = channel();
        std::thread::spawn(move || {
            let stop = AtomicBool::new(false);
            let work = || or_leave(&stop, || -> usize { panic!("as libtorch does") });
            let _ = ended.send(catch_unwind(AssertUnwindSafe(work)).is_err()); // the test may have given up
        });
        assert_eq!(waits.recv_timeout(Duration::from_secs(20)), Ok(true), "it hangs");
    }
}
