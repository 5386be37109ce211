//! One run: builds its parts, trains, tests, and leaves its files.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use thiserror::Error;

use super::{
    environment::environment,
    folder::Folder,
    growing::{TrainCsv, append},
    material::{Fold, Material},
    plan::{CHECKPOINT, CONFIG, COST, ENVIRONMENT, EVALUATION, EXAMPLE, Goal, Run, TRAIN},
    predictions::{MOST_BYTES, PREDICTIONS},
    progress::MethodLine,
    start::{Machine, Ready},
    state,
    test::draws,
};
use crate::{
    algorithms::Testing,
    evaluate::Verdict,
    measures::Measure,
    models::Params,
    output::note,
    records::{self, TrainRow, Values},
    tasks::{TaskSource, family::Show, frozen::FrozenEpisodes},
    train::{Halt, Progress, State, Trainer, Validator},
};

/// How a run ended, if not well.
#[derive(Debug, Error)]
pub enum Ended {
    /// The user stopped it; it can be resumed.
    #[error("stopped")]
    Stopped,
    /// It failed; other runs go on.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl From<Halt> for Ended {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Stopped => Self::Stopped,
            Halt::Observer(error) => Self::Failed(error),
            diverged @ Halt::Diverged { .. } => Self::Failed(diverged.into()),
        }
    }
}

/// What all runs of an experiment share.
pub struct Workplace<'a> {
    /// Data and episodes.
    pub material: &'a Material<'a>,
    /// Where results go.
    pub folder: &'a Folder,
    /// Set when the user wants to stop.
    pub stop: &'a AtomicBool,
    /// What of the machine is used.
    pub machine: Machine<'a>,
    /// How far runs go.
    pub goal: Goal,
}

/// A validation saves the state, unless it was saved this short a time ago.
const SAVE_AT_LEAST_AFTER: Duration = Duration::from_millis(500);
/// Without a validation the state is saved this often.
const SAVE_AT_MOST_AFTER: Duration = Duration::from_secs(20);
/// From which training goes on.
const STATE: &str = "state.safetensors";

impl Workplace<'_> {
    /// Trains and tests one run, going on from its state if it left one.
    ///
    /// # Errors
    /// See [`Ended`]. Whatever was learned is saved.
    pub fn run(&self, run: &Run, fold: &Fold, line: &mut MethodLine) -> Result<(), Ended> {
        let experiment = self.material.experiment;
        let started = Instant::now();
        let ready = self.start(run)?;
        let testing = run.method.algorithm.testing();
        let validation = self.material.validation(fold, run.validation_episodes());
        let validated = validation.as_ref().filter(|_| testing == Testing::Episodes);
        let episodes = validated.map_or(0, FrozenEpisodes::len);
        let mut entries = self.entries(run)?;
        entries.push(environment(self.machine.device, &ready.split, fold, episodes));
        let text = serde_json::to_string_pretty(&entries).context("JSON")?;
        self.write(run, ENVIRONMENT, text.as_bytes())?;
        self.write(run, CONFIG, serde_saphyr::to_string(experiment).context("YAML")?.as_bytes())?;

        let train = run.method.train(&experiment.train);
        let state = match self.material.training(fold, run.method.algorithm.training(), run.seed)? {
            None => State::new(ready.theta.share(), &train.outer),
            Some(source) => self.train(run, &ready, &*source, validation.as_ref(), line)?,
        };
        let theta = ready.learner.checkpoint(&state.result().detached(self.machine.device));
        self.save_checkpoint(run, &theta)?;
        if let Some(validation) = validated {
            let rows = self.test(run, &ready, &theta, validation, line, Some(false))?.rows;
            let paused = self.until().filter(|until| state.iteration == *until && *until < train.iterations);
            self.folder.write(run.validation(paused), &records::to_csv(&rows)?)?;
        }
        if self.goal != Goal::Test {
            let seconds = started.elapsed().as_secs_f64();
            return Ok(self.log(
                run,
                json!({"event": "validated", "seconds": seconds, "iterations": state.iteration}),
            )?);
        }
        let rows = match testing {
            Testing::Episodes => {
                if (run.fold, Some(&run.seed)) == (0, experiment.seeds.first()) {
                    let steps = &experiment.evaluate.steps;
                    let example = self.material.tasks.example(&Show {
                        fold: run.fold,
                        seed: experiment.evaluate.seed,
                        shots: experiment.task.shots(),
                        largest_shots: experiment.largest_shots(),
                        steps,
                        answer: &|episode| {
                            let answers = ready.learner.predict(&theta, episode, steps, draws(run));
                            answers.into_iter().map(|answer| answer.outputs).collect()
                        },
                    });
                    let text = serde_json::to_string(&example).context("JSON")?;
                    self.write(run, EXAMPLE, text.as_bytes())?;
                }
                let keeps = experiment.evaluate.predictions;
                let tested = self.test(run, &ready, &theta, &fold.test, line, keeps)?;
                self.write(run, COST, &records::to_csv(&tested.costs)?)?;
                if let Some(bytes) = tested.answers.to_bytes()? {
                    self.write(run, PREDICTIONS, &bytes)?;
                }
                if let Some(bytes) = tested.left_out {
                    self.log(
                        run,
                        json!({"event": "predictions left out", "bytes": bytes, "most": MOST_BYTES}),
                    )?;
                }
                tested.rows
            }
            Testing::WholeDataset => self.test_whole_dataset(run, &*ready.learner, &theta),
        };
        self.write(run, EVALUATION, &records::to_csv(&rows)?)?;
        let seconds = started.elapsed().as_secs_f64();
        self.log(run, json!({"event": "done", "seconds": seconds, "iterations": state.iteration}))?;
        Ok(())
    }

    fn train(
        &self,
        run: &Run,
        ready: &Ready,
        source: &dyn TaskSource,
        validation: Option<&FrozenEpisodes>,
        line: &mut MethodLine,
    ) -> Result<State, Ended> {
        let train = run.method.train(&self.material.experiment.train);
        let train_csv = self.folder.path.join(run.file(TRAIN));
        let fresh = State::new(ready.theta.detached(self.machine.device), &train.outer);
        let left = state::load(&self.folder.path.join(run.file(STATE)), &fresh, self.machine.device)?;
        let left = match left {
            None => None,
            Some(state) => {
                let rows = TrainCsv::until(train_csv.clone(), state.iteration)?;
                if rows.is_none() {
                    note!(
                        "warning: {} lacks iterations that were done: it is trained again from the start",
                        train_csv.display()
                    );
                }
                rows.map(|rows| (state, rows))
            }
        };
        let event = match &left {
            Some((state, _)) => json!({"event": "resumed", "iteration": state.iteration}),
            None => json!({"event": "started"}),
        };
        self.log(run, event)?;
        let (state, mut rows) = match left {
            Some(left) => left,
            None => (fresh, TrainCsv::new(train_csv)?),
        };
        let validator = train.validate.as_ref().zip(validation).map(|(v, episodes)| Validator {
            interface: self.material.interface(),
            episodes,
            shots: self.material.experiment.task.shots(),
            every: v.every,
            patience: v.patience,
        });
        let trainer = Trainer {
            learner: &*ready.learner,
            source,
            iterations: train.iterations,
            meta_batch: train.meta_batch,
            outer: &train.outer,
            validation: validator,
            seed: run.seed,
            split: &ready.split,
            until: self.until().unwrap_or(train.iterations),
        };
        line.train(state.iteration, trainer.until.min(train.iterations));
        let label = label(run);
        let interface = self.material.interface();
        let (judge, measures) = (interface.judge(), interface.measures);
        let mut saved = Instant::now();
        let state = trainer.train(state, |state, progress| {
            rows.push(train_row(run, &progress, &measures));
            let best = state.best.as_ref().map(|best| judge.text(best.score));
            line.iteration(&label, &progress, train.meta_batch, best);
            let stop = self.stop.load(Ordering::Relaxed);
            if let Some(score) = &progress.validation {
                let mut event =
                    json!({"event": "validated", "iteration": state.iteration, "loss": score.loss});
                for (measure, value) in measures.iter().zip(&score.measured) {
                    event[measure.name()] = json!(value);
                }
                self.log(run, event)?;
            }
            let due = if progress.validation.is_some() { SAVE_AT_LEAST_AFTER } else { SAVE_AT_MOST_AFTER };
            if stop || progress.iteration == 0 || saved.elapsed() > due {
                rows.save()?;
                self.write(run, STATE, &state::save(state)?)?;
                saved = Instant::now();
            }
            Ok(if stop { Verdict::Stop } else { Verdict::Continue })
        });
        if let Err(Halt::Diverged { .. }) = &state {
            rows.save()?; // how it came to that
        }
        let state = state?;
        rows.save()?;
        self.write(run, STATE, &state::save(&state)?)?;
        Ok(state)
    }

    /// Where training pauses.
    fn until(&self) -> Option<usize> {
        match self.goal {
            Goal::Test => None,
            Goal::Validate { until } => until,
        }
    }

    fn save_checkpoint(&self, run: &Run, theta: &Params) -> Result<()> {
        let about = json!({"experiment": self.material.experiment.name, "run": run.folder}).to_string();
        let tensors: Vec<_> = theta.iter().map(|(name, tensor)| (name.to_owned(), tensor)).collect();
        self.write(run, CHECKPOINT, &state::to_safetensors(&tensors, about)?)
    }

    fn write(&self, run: &Run, name: &str, bytes: &[u8]) -> Result<()> {
        self.folder.write(run.file(name), bytes)
    }

    /// Appends an event to the run's `log.jsonl`, with the time in seconds since 1970.
    pub fn log(&self, run: &Run, mut event: Value) -> Result<()> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        event["time"] = json!(now.as_secs_f64());
        append(&self.folder.path.join(run.file("log.jsonl")), format!("{event}\n").as_bytes())?;
        Ok(())
    }
}

/// How a run is called in its method's line.
pub(super) fn label(run: &Run) -> String {
    run.folder.strip_prefix(run.name).unwrap_or(&run.folder).trim_start_matches('-').to_owned()
}

fn train_row(run: &Run, progress: &Progress, measures: &[&'static dyn Measure]) -> TrainRow {
    let mut validation = Values::default();
    for (place, measure) in measures.iter().enumerate() {
        validation.push(measure.name(), progress.validation.as_ref().map(|score| score.measured[place]));
    }
    TrainRow {
        method: run.name.to_owned(),
        fold: run.fold,
        seed: run.seed,
        iteration: progress.iteration,
        loss: progress.loss,
        learning_rate: progress.rate,
        validation_loss: progress.validation.as_ref().map(|score| score.loss),
        validation,
    }
}
