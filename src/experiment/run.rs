//! One run: prepares its folder, learns, is validated and tested.

use std::{
    iter,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::Ordering,
    time::Instant,
};

use anyhow::{Context, Result, anyhow};
use serde_json::json;

use super::{
    environment::environment,
    files::{CHECKPOINT, CONFIG, ENVIRONMENT},
    fold::Fold,
    plan::{Goal, Run},
    progress::MethodLine,
    start::Ready,
    state,
    workplace::{RunError, Workplace},
};
use crate::{
    algorithms::{Fitting, Testing, Training},
    evaluate::mean_scores,
    misuse::{Misuse, panic_message},
    models::Params,
    tasks::{Part, frozen::FrozenEpisodes},
    train::State,
};

/// How the runs of a method ended.
#[derive(Debug, Default)]
pub struct MethodRuns {
    /// Runs that are done.
    pub done: usize,
    /// The others, and why.
    pub failures: Vec<String>,
}

impl MethodRuns {
    /// In words, for the method's line.
    pub fn in_words(&self) -> String {
        let failed = match self.failures.len() {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        format!("{} run{} done{failed}", self.done, if self.done == 1 { "" } else { "s" })
    }
}

impl Workplace<'_> {
    /// Runs what is left to run of a method; `None` when the user stops it.
    ///
    /// # Errors
    /// A `Misuse`: nothing of the experiment can be run.
    pub fn run_method(
        &self,
        name: &str,
        folds: &[Fold],
        line: &mut MethodLine,
    ) -> Result<Option<MethodRuns>> {
        let mut ended = MethodRuns::default();
        for run in self.material.experiment.runs().iter().filter(|run| run.name == name) {
            if run.is_done(&self.folder.path, self.goal) {
                ended.done += 1;
                continue;
            }
            // libtorch reports what it cannot do, out of memory for example, by a panic of tch.
            let result = catch_unwind(AssertUnwindSafe(|| self.run(run, &folds[run.fold], line)))
                .unwrap_or_else(|panic| Err(RunError::Failed(anyhow!(panic_message(&*panic)))));
            match result {
                Ok(()) => ended.done += 1,
                Err(RunError::Stopped) => return Ok(None),
                Err(RunError::Failed(error)) if error.is::<Misuse>() => return Err(error),
                Err(RunError::Failed(error)) => {
                    let reason = format!("{}: {error:#}", run.folder);
                    let _ = self.log(run, json!({"event": "failed", "reason": reason})); // the disk may be full
                    ended.failures.push(reason);
                }
            }
            if self.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
        }
        Ok(Some(ended))
    }

    /// Trains and tests one run, going on from its state if it left one.
    ///
    /// # Errors
    /// See [`RunError`]. Whatever was learned is saved.
    fn run(&self, run: &Run, fold: &Fold, line: &mut MethodLine) -> Result<(), RunError> {
        let started = Instant::now();
        let ready = self.start(run)?;
        let validation = self.validation(run, fold);
        self.prepare(run, fold, &ready, validation.as_ref())?;
        let state = self.learn(run, &ready, validation.as_ref(), line)?;
        let theta = ready.learner.checkpoint(&state.result().detached(self.machine.device));
        self.save_checkpoint(run, &theta)?;
        if let Some(episodes) = &validation {
            self.validate(run, &ready, &theta, episodes, state.iteration, line)?;
        }
        if self.goal == Goal::Test {
            self.test(run, &ready, &theta, fold, line)?;
        }
        let event = if self.goal == Goal::Test { "done" } else { "validated" };
        let seconds = started.elapsed().as_secs_f64();
        self.log(run, json!({"event": event, "seconds": seconds, "iterations": state.iteration}))?;
        Ok(())
    }

    /// The episodes that a run is validated on; none for a method that solves no few-shot tasks, or where there are not enough classes.
    fn validation(&self, run: &Run, fold: &Fold) -> Option<FrozenEpisodes> {
        match run.method.algorithm.testing() {
            Testing::Episodes => self.material.validation(fold, run.validation_episodes),
            Testing::WholeDataset | Testing::Truth => None,
        }
    }

    /// Writes what a run's results come from.
    fn prepare(
        &self,
        run: &Run,
        fold: &Fold,
        ready: &Ready,
        validation: Option<&FrozenEpisodes>,
    ) -> Result<()> {
        let mut entries = self.entries(run)?;
        let episodes = validation.map_or(0, FrozenEpisodes::len);
        entries.push(environment(self.machine.device, &ready.split, fold, episodes));
        let text = serde_json::to_string_pretty(&entries).context("JSON")?;
        self.write(run, ENVIRONMENT, text.as_bytes())?;
        self.write(run, CONFIG, serde_saphyr::to_string(run.experiment).context("YAML")?.as_bytes())
    }

    /// The state in which training ends or pauses.
    fn learn(
        &self,
        run: &Run,
        ready: &Ready,
        validation: Option<&FrozenEpisodes>,
        line: &mut MethodLine,
    ) -> Result<State, RunError> {
        match self.material.training(run)? {
            None => {
                let fitted = match run.method.algorithm.training() {
                    Training::Fit => self.fit(run, ready, validation),
                    _ => None,
                };
                Ok(State::new(fitted.unwrap_or_else(|| ready.theta.share()), &run.train.outer))
            }
            Some(source) => self.train(run, ready, &*source, validation, line),
        }
    }

    /// Theta of a method that is fitted to all tasks at once.
    fn fit(&self, run: &Run, ready: &Ready, validation: Option<&FrozenEpisodes>) -> Option<Params> {
        let (tasks, interface) = (&self.material.tasks, self.material.interface());
        let episodes = tasks.source(run.fold, Part::Train, run.training_shots, run.seed)?;
        let judge = |theta: &Params| {
            let Some(episodes) = validation else { return f64::NAN };
            let loss = |shots: &usize| {
                mean_scores(&*ready.learner, &interface, theta, episodes, *shots, 0, &ready.split).loss
            };
            run.test_shots.iter().map(loss).sum::<f64>() / run.test_shots.len() as f64
        };
        ready.learner.fit(&Fitting {
            tasks: &|| tasks.every(run.fold).unwrap_or_else(|| Box::new(iter::empty())),
            episodes: &*episodes,
            judge: &judge,
            seed: run.seed,
        })
    }

    fn save_checkpoint(&self, run: &Run, theta: &Params) -> Result<()> {
        let about = json!({"experiment": run.experiment.name, "run": run.folder}).to_string();
        let tensors: Vec<_> = theta.iter().map(|(name, tensor)| (name.to_owned(), tensor)).collect();
        self.write(run, CHECKPOINT, &state::to_safetensors(&tensors, about)?)
    }
}
