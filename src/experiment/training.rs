//! The training of a run: goes on from its state if it left one, and leaves its state, curve and events.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde_json::json;

use super::{
    files::{STATE, TRAIN},
    growing::TrainCsv,
    plan::Run,
    progress::MethodLine,
    start::Ready,
    state,
    workplace::{RunError, Workplace},
};
use crate::{
    evaluate::Signal,
    measures::Measure,
    output::note,
    records::{TrainRow, Values},
    tasks::{TaskSource, frozen::FrozenEpisodes},
    train::{Halt, Progress, State, Trainer, Validator},
};

/// A validation saves the state, unless it was saved this short a time ago.
const SAVE_AT_LEAST_AFTER: Duration = Duration::from_millis(500);
/// Without a validation the state is saved this often.
const SAVE_AT_MOST_AFTER: Duration = Duration::from_secs(20);

impl Workplace<'_> {
    /// Trains a run on these tasks until its end, or until it is to pause.
    ///
    /// # Errors
    /// See [`RunError`]; what was learned until then is saved.
    pub(super) fn train(
        &self,
        run: &Run,
        ready: &Ready,
        source: &dyn TaskSource,
        validation: Option<&FrozenEpisodes>,
        line: &mut MethodLine,
    ) -> Result<State, RunError> {
        let train = &run.train;
        let (state, mut rows) = self.resume(run, ready)?;
        let validator = train.validate.as_ref().zip(validation).map(|(v, episodes)| Validator {
            interface: self.material.interface(),
            episodes,
            shots: run.experiment.task.shots(),
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
            until: self.goal.until().unwrap_or(train.iterations),
        };
        line.train(state.iteration, trainer.until.min(train.iterations));
        let label = run.label();
        let interface = self.material.interface();
        let (judge, measures) = (interface.judge(), interface.measures);
        let mut saved = Instant::now();
        let state = trainer.train(state, |state, progress| {
            rows.push(train_row(run, &progress, &measures));
            let best = state.best.as_ref().map(|best| judge.text(best.score));
            line.iteration(label, &progress, train.meta_batch, best);
            self.log_validation(run, &progress, &measures)?;
            let stop = self.stop.load(Ordering::Relaxed);
            let due = if progress.validation.is_some() { SAVE_AT_LEAST_AFTER } else { SAVE_AT_MOST_AFTER };
            if stop || progress.iteration == 0 || saved.elapsed() > due {
                rows.save()?;
                self.write(run, STATE, &state::save(state)?)?;
                saved = Instant::now();
            }
            Ok(if stop { Signal::Stop } else { Signal::Continue })
        });
        if let Err(Halt::Diverged { .. }) = &state {
            rows.save()?; // how it came to that
        }
        let state = state?;
        rows.save()?;
        self.write(run, STATE, &state::save(&state)?)?;
        Ok(state)
    }

    /// The state from which training goes on and the rows until there, or those at its start.
    fn resume(&self, run: &Run, ready: &Ready) -> Result<(State, TrainCsv)> {
        let train_csv = self.path(run, TRAIN);
        let fresh = State::new(ready.theta.detached(self.machine.device), &run.train.outer);
        if let Some(state) = state::load(&self.path(run, STATE), &fresh, self.machine.device)? {
            if let Some(rows) = TrainCsv::until(train_csv.clone(), state.iteration)? {
                self.log(run, json!({"event": "resumed", "iteration": state.iteration}))?;
                return Ok((state, rows));
            }
            note!(
                "warning: {} lacks iterations that were done: it is trained again from the start",
                train_csv.display()
            );
        }
        self.log(run, json!({"event": "started"}))?;
        Ok((fresh, TrainCsv::new(train_csv)?))
    }

    fn log_validation(
        &self,
        run: &Run,
        progress: &Progress,
        measures: &[&'static dyn Measure],
    ) -> Result<()> {
        let Some(score) = &progress.validation else { return Ok(()) };
        let mut event = json!({"event": "validated", "iteration": progress.iteration, "loss": score.loss});
        for (measure, value) in measures.iter().zip(&score.measured) {
            event[measure.name()] = json!(value);
        }
        self.log(run, event)
    }
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
